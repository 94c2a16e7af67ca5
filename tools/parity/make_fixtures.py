"""Writes every fixture folder under tools/parity/fixtures. Usage: make_fixtures.py [name ...]; see README.md."""

import argparse
from pathlib import Path

import peft
import torch
import transformers

from parity_kit import (
    checkpoints,
    decoders,
    encoders,
    expected_inference,
    expected_training,
    llava_family,
    optimizer,
    pictures,
    smolvlm,
)
from parity_kit.photos import write_photos
from parity_kit.record import Record

FIXTURES = Path(__file__).parent / "fixtures"


def make_vlm(
    recipe: checkpoints.Recipe, photos: list[Path], family=checkpoints, record_images=expected_inference.record_images
) -> None:
    """One VLM folder: the checkpoint that `family` builds and saves, then all that transformers and peft compute from it."""
    folder, record = FIXTURES / recipe.name, Record()
    model = family.build(recipe)
    record.value("made_by", {name: module.__version__ for name, module in
                             (("torch", torch), ("transformers", transformers), ("peft", peft))})  # fmt: skip
    prompts = expected_inference.prompt_batch(record, recipe, photos)
    expected_inference.place_eos(recipe, model, prompts)
    family.save(recipe, model, folder)
    with torch.no_grad():
        record_images(record, recipe, model, photos)
    if family is not llava_family:
        # Their tokenizers are those of other folders.
        expected_inference.record_tokenizer(record, recipe)
    batch = expected_inference.sequence_batch(record, recipe, prompts)
    expected_inference.record_forward(record, model, batch)
    expected_inference.record_greedy(record, recipe, model, prompts)
    expected_inference.record_sampling(record, recipe, model, prompts)
    if recipe.trained:
        expected_training.record_training(record, recipe, model, batch, folder)
    record.write(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="folders to make; all of them when none is named")
    names = parser.parse_args().names
    torch.manual_seed(0)
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    wide, tall, strip = write_photos(FIXTURES / "images")
    recipes = checkpoints.recipes()
    makers = {name: lambda recipe=recipe: make_vlm(recipe, [wide, tall]) for name, recipe in recipes.items()}
    for name, recipe in smolvlm.recipes().items():
        makers[name] = lambda recipe=recipe: make_vlm(recipe, [wide, strip], smolvlm, smolvlm.record_images)
    for name, recipe in decoders.recipes().items():
        makers[name] = lambda recipe=recipe: make_vlm(recipe, [wide, tall], decoders)
    by_name = {"wide": wide, "tall": tall, "strip": strip}
    for name, recipe in llava_family.recipes().items():
        photos = [by_name[photo] for photo in recipe.photos]
        makers[name] = lambda recipe=recipe, photos=photos: make_vlm(
            recipe, photos, llava_family, llava_family.record_images
        )
    makers["clip-encoder"] = lambda: encoders.make_encoder("clip-encoder", recipes["clip-llama"], FIXTURES)
    makers["siglip-encoder"] = lambda: encoders.make_encoder("siglip-encoder", recipes["siglip-qwen2"], FIXTURES)
    makers["optimizer"] = lambda: optimizer.make_optimizer(FIXTURES)
    makers["rope"] = lambda: optimizer.make_rope(FIXTURES)
    makers["pictures"] = lambda: pictures.make_pictures(FIXTURES)
    for name, make in makers.items():
        if not names or name in names:
            make()
            files = [path for path in (FIXTURES / name).rglob("*") if path.is_file()]
            for path in files:
                path.chmod(0o644)
            print(name, sum(path.stat().st_size for path in files), "bytes")


if __name__ == "__main__":
    main()
