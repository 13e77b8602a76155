"""`tacit demo`: a real server, a real conversation, and everything that must be refused.

command       the command line: a folder, a server process, the story, the clean-up
process       starts and stops `tacit serve` as anyone would
story         what happens, over gRPC, step by step
conversation  thirty-one turns, written for this; nobody in it exists
"""
