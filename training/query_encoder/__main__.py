"""`python -m training.query_encoder --span-files FOLDER --wordnet FOLDER --encoder FOLDER`.

Trains and writes `query.onnx` into the folder of the large encoder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from memory.adapters.onnx_encoder import TOKENIZER
from training.embedding.source import fetch
from training.query_encoder.export import save
from training.query_encoder.model import begin
from training.query_encoder.teacher import MAX_TOKENS, label, label_tokens
from training.query_encoder.texts import make_texts
from training.query_encoder.train import Recipe, alone_table, fit, token_ids


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.query_encoder", description=__doc__)
    parser.add_argument("--span-files", type=Path, required=True, help="folder of *.jsonl")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--encoder", type=Path, required=True, help="the large encoder's folder")
    parser.add_argument("--labels", type=Path, help="keep what the large encoder says here (.npy)")
    options = parser.parse_args()
    recipe = Recipe()
    torch.manual_seed(recipe.seed)
    texts = make_texts(options.span_files, options.wordnet, recipe.seed)
    print(f"{len(texts)} texts")
    if options.labels and options.labels.exists():
        labels = np.load(options.labels)
    else:
        labels = label(texts, options.encoder)
        if options.labels:
            np.save(options.labels, labels)
    tokenizer = Tokenizer.from_file(str(options.encoder / TOKENIZER))
    ids = token_ids(texts, tokenizer, MAX_TOKENS)
    alone = alone_table(label_tokens(options.encoder), ids, recipe.alone_length)
    model = begin(fetch().weights, recipe.layers, alone)
    fit(model, ids, labels, recipe)
    print(save(model, options.encoder))


if __name__ == "__main__":
    main()
