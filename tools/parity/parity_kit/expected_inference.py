"""What transformers computes from a VLM without training: pixels, features, prompts, logits, greedy and sampled tokens."""

import copy
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import (
    CLIPImageProcessor,
    LlavaForConditionalGeneration,
    LogitsProcessorList,
    RepetitionPenaltyLogitsProcessor,
    SiglipImageProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from parity_kit import vocabularies
from parity_kit.checkpoints import Recipe
from parity_kit.record import Record

NEW_TOKENS = 20
SAMPLING = [
    {"temperature": 0.7, "top_k": 40, "top_p": 0.9, "repetition_penalty": 1.1},
    {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0},
]


def prompt_text(recipe: Recipe, question: str) -> str:
    """The chat template applied, or a Vicuna-style prompt for checkpoints that have none."""
    if recipe.chat_template is None:
        return f"USER: <image>\n{question} ASSISTANT:"
    content = [{"type": "image"}, {"type": "text", "text": question}]
    return recipe.processor().apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)


def images_of(batch: dict[str, torch.Tensor], rows: slice = slice(None)) -> dict[str, torch.Tensor]:
    """What a model takes of the images of some rows: their pixels, and their sizes where it cuts them by size."""
    return {key: batch[key][rows] for key in ("pixel_values", "image_sizes") if key in batch}


def positions(attention_mask: torch.Tensor) -> torch.Tensor:
    """Position ids as generate makes them: running count of real tokens, 0 on the padding."""
    return (attention_mask.cumsum(-1) - 1).masked_fill(attention_mask == 0, 0)


def record_images(record: Record, recipe: Recipe, model: LlavaForConditionalGeneration, photos: list[Path]) -> None:
    images = [Image.open(path) for path in photos]
    pixels = recipe.image_processor(images=images, return_tensors="pt")["pixel_values"]
    fast_class = CLIPImageProcessor if "CLIP" in type(recipe.image_processor).__name__ else SiglipImageProcessor
    settings = {key: value for key, value in recipe.image_processor.to_dict().items() if key in ("size", "crop_size")}
    fast = fast_class(**settings)(images=images, return_tensors="pt")["pixel_values"]
    outputs = model.get_image_features(
        pixel_values=pixels, vision_feature_layer=recipe.feature_layer, vision_feature_select_strategy=recipe.strategy,
        output_hidden_states=True,
    )
    selected = outputs.hidden_states[recipe.feature_layer]
    record.tensor("pixel_values", pixels)
    record.tensor("vision.selected", selected[:, 1:] if recipe.strategy == "default" else selected)
    record.tensor("vision.projected", torch.stack(list(outputs.pooler_output)))
    record.value("images", {
        "files": [f"../images/{path.name}" for path in photos],
        "image_processor": type(recipe.image_processor).__name__ + " (PIL, the 'slow' path)",
        "resample": "bicubic",
        "torchvision_max_abs_difference": float((fast - pixels).abs().max()),
    })


def record_tokenizer(record: Record, recipe: Recipe) -> None:
    tokenizer, cases = recipe.tokenizer, []
    for text in vocabularies.TOKENIZER_TEXTS:
        encoded = tokenizer(text, return_offsets_mapping=True)
        cases.append({
            "text": text,
            "input_ids": encoded["input_ids"],
            "tokens": tokenizer.convert_ids_to_tokens(encoded["input_ids"]),
            "offsets_code_points": encoded["offset_mapping"],
            "ids_without_special_tokens": tokenizer(text, add_special_tokens=False)["input_ids"],
            "decoded_skipping_special": tokenizer.decode(encoded["input_ids"], skip_special_tokens=True),
        })
    record.value("tokenizer_cases", cases)


def prompt_batch(record: Record, recipe: Recipe, photos: list[Path]) -> dict[str, torch.Tensor]:
    """Both prompts, image token expanded, left-padded to one length; rows 0 and 1 see the wide and the tall photo."""
    texts = [prompt_text(recipe, question) for question in recipe.questions]
    batch = recipe.processor()(images=[Image.open(path) for path in photos], text=texts, padding=True, return_tensors="pt")
    cases = []
    for text in texts:
        encoded = recipe.tokenizer(text, return_offsets_mapping=True)
        cases.append({
            "text": text, "input_ids_before_expansion": encoded["input_ids"],
            "offsets_code_points": encoded["offset_mapping"],
        })
    for case, ids, mask in zip(cases, batch["input_ids"], batch["attention_mask"]):
        case["input_ids"] = ids[mask == 1].tolist()
        image_id = recipe.tokenizer.convert_tokens_to_ids("<image>")
        case["image_token_count"] = case["input_ids"].count(image_id)
    record.value("prompts", cases)
    record.value("questions", list(recipe.questions))
    record.tensor("prompt.input_ids", batch["input_ids"])
    record.tensor("prompt.attention_mask", batch["attention_mask"])
    return {key: batch[key] for key in ("input_ids", "attention_mask")} | images_of(batch)


def sequence_batch(record: Record, recipe: Recipe, prompts: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Prompts (left-padded) followed by given responses (right-padded), so that responses start in one column."""
    tokenizer = recipe.tokenizer
    responses = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in recipe.responses]
    responses = [[*ids, tokenizer.eos_token_id] for ids in responses]
    width = max(map(len, responses))
    padded = torch.tensor([ids + [tokenizer.pad_token_id] * (width - len(ids)) for ids in responses])
    response_mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in responses])
    attention_mask = torch.cat([prompts["attention_mask"], response_mask], dim=1)
    batch = {
        "input_ids": torch.cat([prompts["input_ids"], padded], dim=1),
        "attention_mask": attention_mask,
        "position_ids": positions(attention_mask),
    }
    for name, value in batch.items():
        record.tensor(f"sequence.{name}", value)
    record.tensor("sequence.response_mask", response_mask)
    record.value("response_start", prompts["input_ids"].shape[1])
    record.value("responses", list(recipe.responses))
    return {**batch, **images_of(prompts), "response_mask": response_mask}


def response_rows(values: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Rows [batch, response, ...] whose next-token prediction is the response: one column before each of its tokens."""
    width = batch["response_mask"].shape[1]
    start = values.shape[1] - width
    return values[:, start - 1 : start + width - 1]


def response_logprobs(logits: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Log-probabilities [batch, response] of the response tokens at temperature 1; 0 on the padding."""
    width = batch["response_mask"].shape[1]
    logprobs = response_rows(logits, batch).log_softmax(-1)
    taken = logprobs.gather(-1, batch["input_ids"][:, -width:, None])[..., 0]
    return taken * batch["response_mask"]


def forward(model: torch.nn.Module, batch: dict[str, torch.Tensor], **more):
    keys = ("input_ids", "attention_mask", "position_ids")
    return model(**{key: batch[key] for key in keys}, **images_of(batch), use_cache=False, **more)


def in_float64(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits [batch, seq, vocab] and last hidden states [batch, seq, hidden] computed in float64, each row without its
    padding, and then rounded to float32; 0 on the padding. In float32 torch itself is up to 1.4e-4 away from them."""
    precise = copy.deepcopy(model).double()
    mask = batch["attention_mask"].bool()
    text = model.config.text_config
    logits, hidden = torch.zeros(*mask.shape, text.vocab_size), torch.zeros(*mask.shape, text.hidden_size)
    for row, keep in enumerate(mask):
        ids, images = batch["input_ids"][row, keep][None], images_of(batch, slice(row, row + 1))
        images["pixel_values"] = images["pixel_values"].double()
        outputs = precise(input_ids=ids, **images, use_cache=False, output_hidden_states=True)
        logits[row, keep] = outputs.logits[0].float()
        hidden[row, keep] = outputs.hidden_states[-1][0].float()
    return logits, hidden


@torch.no_grad()
def record_forward(record: Record, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> None:
    outputs = forward(model, batch)
    mask = batch["attention_mask"]
    logits, hidden = in_float64(model, batch)
    record.tensor("sequence.logits", logits)
    record.tensor("sequence.response_hidden", response_rows(hidden, batch))
    record.tensor("sequence.response_logprobs", response_logprobs(logits, batch))
    # The padding must not leak: the shorter row alone, without any, gives the same logits.
    row = int(mask.sum(-1).argmin())
    keep = mask[row] == 1
    alone = model(
        input_ids=batch["input_ids"][row, keep][None], **images_of(batch, slice(row, row + 1)), use_cache=False
    ).logits[0]
    leak = float((alone - outputs.logits[row, keep]).abs().max())
    if leak > 5e-5:
        raise ValueError(f"left padding changes the logits by {leak}")


@torch.no_grad()
def place_eos(recipe: Recipe, model: torch.nn.Module, prompts: dict[str, torch.Tensor]) -> None:
    """Swaps two lm_head rows so that row 0's greedy answer ends at a known step: the last listed eos token takes the
    place of the first new token from that step on."""
    eos = model.generation_config.eos_token_id
    eos_id = eos[-1] if isinstance(eos, list) else eos
    tokens = greedy(model, prompts)[0].tolist()
    used = set(prompts["input_ids"].flatten().tolist())
    head = model.lm_head.weight
    for step in range(recipe.eos_step, NEW_TOKENS):
        if tokens[step] not in (*tokens[:step], *used, eos_id):
            swapped = [tokens[step], eos_id]
            head[swapped] = head[swapped[::-1]].clone()
            return
    raise ValueError(f"{recipe.name}: greedy tokens {tokens} offer no place for the end token; change the seed")


@torch.no_grad()
def greedy(model: torch.nn.Module, prompts: dict[str, torch.Tensor]) -> torch.Tensor:
    """Greedy tokens [batch, steps] from transformers' generate; rows that ended are filled with the pad token."""
    output = model.generate(**prompts, do_sample=False, max_new_tokens=NEW_TOKENS)
    return output[:, prompts["input_ids"].shape[1] :]


@torch.no_grad()
def record_greedy(record: Record, recipe: Recipe, model: torch.nn.Module, prompts: dict[str, torch.Tensor]) -> None:
    tokens = greedy(model, prompts)
    record.tensor("greedy.tokens", tokens)
    record.value("greedy_text", recipe.tokenizer.batch_decode(tokens, skip_special_tokens=True))
    for row in range(len(tokens)):
        keep = prompts["attention_mask"][row] == 1
        single = {"input_ids": prompts["input_ids"][row, keep][None], "attention_mask": torch.ones(1, int(keep.sum())),
                  **images_of(prompts, slice(row, row + 1))}  # fmt: skip
        alone = greedy(model, {**single, "attention_mask": single["attention_mask"].long()})[0]
        if alone.tolist() != tokens[row, : len(alone)].tolist():
            raise ValueError(f"{recipe.name}: row {row} decodes differently alone; change the seed")


@torch.no_grad()
def sample_row(model, ids: torch.Tensor, images: dict, settings: dict, uniforms: np.ndarray) -> dict:
    """Samples one unpadded row by inverse CDF over ids in index order; see the README for the exact procedure."""
    warpers = LogitsProcessorList()
    if settings["repetition_penalty"] != 1:
        warpers.append(RepetitionPenaltyLogitsProcessor(settings["repetition_penalty"]))
    if settings["temperature"] != 1:
        warpers.append(TemperatureLogitsWarper(settings["temperature"]))
    if settings["top_k"]:
        warpers.append(TopKLogitsWarper(settings["top_k"]))
    if settings["top_p"] < 1:
        warpers.append(TopPLogitsWarper(settings["top_p"]))
    eos = model.generation_config.eos_token_id
    stop = set(eos if isinstance(eos, list) else [eos])
    found = {"tokens": [], "logprobs": [], "logprobs_at_temperature": [], "logprobs_processed": [], "margin": 1.0}
    for uniform in uniforms:
        logits = model(input_ids=ids, **images, use_cache=False).logits[:, -1]
        processed = warpers(ids, logits.clone())
        cumulative = processed[0].double().softmax(-1).cumsum(-1)
        token = int((cumulative > float(uniform)).nonzero()[0, 0])
        found["margin"] = min(found["margin"], float((cumulative - float(uniform)).abs().min()))
        found["tokens"].append(token)
        for name, scores in (("logprobs", logits), ("logprobs_at_temperature", logits / settings["temperature"]),
                             ("logprobs_processed", processed)):  # fmt: skip
            found[name].append(float(scores[0].log_softmax(-1)[token]))
        ids = torch.cat([ids, torch.tensor([[token]])], dim=1)
        if token == model.config.image_token_id:
            found["margin"] = 0.0
        if token in stop or found["margin"] < 1e-4:
            break
    return found


def record_sampling(record: Record, recipe: Recipe, model, prompts: dict[str, torch.Tensor]) -> None:
    """Two settings, two rows; uniforms are drawn again until none lies within 1e-4 of a boundary
    and no image token is sampled (recomputing the sequence would then ask for another image)."""
    record.value("sampling", SAMPLING)
    for number, settings in enumerate(SAMPLING):
        for row in range(2):
            keep = prompts["attention_mask"][row] == 1
            ids, images = prompts["input_ids"][row, keep][None], images_of(prompts, slice(row, row + 1))
            for attempt in range(100):
                rng = np.random.default_rng([recipe.seed, number, row, attempt])
                uniforms = rng.integers(0, 2**24, NEW_TOKENS) / 2**24
                found = sample_row(model, ids, images, settings, uniforms)
                if found["margin"] >= 1e-4:
                    break
            else:
                raise ValueError(f"{recipe.name}: no uniforms keep clear of the boundaries")
            prefix = f"sampled.{number}.{row}"
            record.tensor(f"{prefix}.uniforms", torch.tensor(uniforms, dtype=torch.float64))
            record.tensor(f"{prefix}.tokens", torch.tensor(found["tokens"]))
            for name in ("logprobs", "logprobs_at_temperature", "logprobs_processed"):
                record.tensor(f"{prefix}.{name}", torch.tensor(found[name], dtype=torch.float32))
