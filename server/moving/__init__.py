"""Moving in: what the exports of other memories and assistants hold, as entries to be stored.

    files      the file, or what matters of a zip, element by element
    nodes      a JSON value that knows where it stands
    mem0, zep, letta, chatgpt, claude, pam
               one reader for each format: elements in, entries out
    pieces     which entries are taken, under which request id, in which lengths

Rules:
- Readers are pure. What is anonymized, consented to and stored is the server's Store to decide;
  nothing here goes around it.
- Whatever is not taken is counted under a name that says what it is (`Found`), never dropped
  without a word.
- A mistake names its place in the file and quotes nothing of what people said.
- Of a file no more than one element of its outermost list is held at a time.
"""
