"""The folders of LLaVA's relatives: LLaVA-NeXT and LLaVA-OneVision, which cut images by their size, and ViP-LLaVA."""

import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from PIL import Image
from transformers import (
    CLIPVisionConfig,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextImageProcessorPil,
    LlavaNextProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionImageProcessorPil,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
    LlavaProcessor,
    MistralConfig,
    Qwen2Config,
    SiglipVisionConfig,
    VipLlavaConfig,
    VipLlavaForConditionalGeneration,
)
from transformers.models.llava_next.modeling_llava_next import image_size_to_num_patches

from parity_kit import vocabularies
from parity_kit.checkpoints import (
    NAMINGS,
    Recipe,
    clip_processor,
    generation_config,
    llama_text,
    randomise,
    rename_tensors,
    set_tokenizer_class,
    write_preprocessor,
    write_v4_config,
)
from parity_kit.record import Record
from parity_kit.smolvlm import write_json

MODELS = {
    "llava_next": LlavaNextForConditionalGeneration,
    "llava_onevision": LlavaOnevisionForConditionalGeneration,
    "vipllava": VipLlavaForConditionalGeneration,
}
# Heights and widths, in tiles, of LLaVA-v1.6 and of LLaVA-OneVision.
NEXT_GRIDS = [(1, 2), (2, 1), (2, 2), (3, 1), (1, 3)]
ONEVISION_GRIDS = [(height, width) for height in range(1, 7) for width in range(1, 7)]
PICTURES = [(640, 480), (480, 640), (1, 1), (900, 1), (1, 900), (333, 1000), (1000, 333), (4000, 3000), (500, 501),
            (511, 1023), (97, 31), (1365, 1024), (1024, 1025), (2049, 513), (336, 336), (672, 337), (384, 385), (7, 5000),
            (5304, 7952), (1100, 1100), (1152, 1152), (1500, 1500), (2304, 2304), (3000, 3000), (1920, 1440),
            (583, 1927), (352, 748), (2214, 820), (492, 1927)]  # fmt: skip


@dataclass
class FamilyRecipe(Recipe):
    kind: str = "llava_next"
    photos: tuple[str, str] = ("wide", "tall")
    # Side of a tile is that of the tower; sizes of images are whole numbers of them.
    grids: list[tuple[int, int]] = field(default_factory=list)
    aspect_ratio: str = "anyres_max_9"

    @property
    def patches_a_side(self) -> int:
        return self.vision.image_size // self.vision.patch_size

    def processor(self):
        parts = dict(image_processor=self.image_processor, tokenizer=self.tokenizer, chat_template=self.chat_template)
        parts["vision_feature_select_strategy"] = self.strategy
        if self.kind == "llava_onevision":
            return LlavaOnevisionProcessor(
                **parts, video_processor=LlavaOnevisionVideoProcessor(), num_image_tokens=self.patches_a_side**2,
                vision_aspect_ratio=self.aspect_ratio,
            )  # fmt: skip
        kind = LlavaProcessor if self.kind == "vipllava" else LlavaNextProcessor
        more = 1 if isinstance(self.vision, CLIPVisionConfig) else 0
        return kind(**parts, patch_size=self.vision.patch_size, num_additional_image_tokens=more)


def pinpoints(grids: list[tuple[int, int]], tile: int) -> list[list[int]]:
    return [[height * tile, width * tile] for height, width in grids]


def recipes() -> dict[str, FamilyRecipe]:
    """Two folders of each kind: one as the hub has it, which is trained, and one in BF16 and shards."""
    llama, metaspace, qwen = (
        vocabularies.llama_tokenizer(True), vocabularies.llama_tokenizer(False), vocabularies.qwen_tokenizer()
    )
    vocab, tile = 408, 21
    sizes = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3)
    short = ("A red cup stands there.", "The dog.")

    def clip() -> CLIPVisionConfig:
        return CLIPVisionConfig(**{**sizes, "num_hidden_layers": 3}, image_size=tile, patch_size=7, projection_dim=24)

    def siglip(patch: int = 7) -> SiglipVisionConfig:
        return SiglipVisionConfig(**sizes, image_size=tile, patch_size=patch, vision_use_head=False)

    def qwen_text(**more) -> Qwen2Config:
        return Qwen2Config(
            vocab_size=vocab, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=1024, rms_norm_eps=1e-6, max_window_layers=2,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}, eos_token_id=qwen.eos_token_id,
            pad_token_id=qwen.pad_token_id, **more,
        )  # fmt: skip

    def llama_small() -> dict:
        return dict(hidden_size=32, intermediate_size=48, pad_token_id=llama.pad_token_id, max_position_embeddings=1024)

    def next_pictures() -> LlavaNextImageProcessorPil:
        return LlavaNextImageProcessorPil(
            size={"shortest_edge": tile}, crop_size={"height": tile, "width": tile},
            image_grid_pinpoints=pinpoints(NEXT_GRIDS, tile),
        )  # fmt: skip

    def onevision_pictures(grids: list[tuple[int, int]]) -> LlavaOnevisionImageProcessorPil:
        return LlavaOnevisionImageProcessorPil(
            size={"height": tile, "width": tile}, image_mean=[0.5] * 3, image_std=[0.5] * 3,
            image_grid_pinpoints=pinpoints(grids, tile),
        )  # fmt: skip

    made = [
        FamilyRecipe(
            "llava-next", 818, clip(),
            MistralConfig(
                vocab_size=vocab, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
                num_key_value_heads=2, sliding_window=None, max_position_embeddings=1024, rms_norm_eps=1e-5,
                pad_token_id=metaspace.pad_token_id, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
            ),
            metaspace, next_pictures(), -2, "default", "v4", responses=short,
            # As llava-v1.6-mistral-7b-hf has it: the tokenizer begins the prompt.
            chat_template=vocabularies.MISTRAL_INST.removeprefix("{{ bos_token }}"),
            photos=("wide", "strip"), grids=NEXT_GRIDS,
        ),
        # No class token, two layers of the tower beside each other, a learned line end in BF16.
        FamilyRecipe(
            "llava-next-bf16", 909, siglip(), qwen_text(tie_word_embeddings=True), qwen, next_pictures(), [-1, 1], "full",
            "module", chat_template=vocabularies.CHATML, dtype=torch.bfloat16, shard_size="40KB", trained=False,
            photos=("strip", "tall"), responses=short, grids=NEXT_GRIDS,
        ),
        # wide.png becomes three rows of five tiles, more than nine, and is shrunk; strip.png two rows of five. The patches
        # leave a pixel of a tile's side over, as 14 of 384 do.
        FamilyRecipe(
            "llava-onevision", 1010, siglip(10), qwen_text(tie_word_embeddings=True), qwen,
            onevision_pictures(ONEVISION_GRIDS), -1, "full", "v4", kind="llava_onevision", photos=("wide", "strip"),
            chat_template=vocabularies.ONEVISION, responses=short, grids=ONEVISION_GRIDS,
        ),
        FamilyRecipe(
            "llava-onevision-bf16", 1111, siglip(), qwen_text(), qwen, onevision_pictures(ONEVISION_GRIDS[:9]), -2, "full",
            "v5", kind="llava_onevision", aspect_ratio="anyres_max_1", chat_template=vocabularies.CHATML,
            dtype=torch.bfloat16, shard_size="40KB", trained=False, responses=short, grids=ONEVISION_GRIDS[:9],
        ),
        FamilyRecipe(
            "vip-llava", 1222, clip(), llama_text(vocab, **llama_small()), llama, clip_processor(tile, tile), [-2, -3, 3],
            "default", "v4", kind="vipllava", responses=short,
        ),
        FamilyRecipe(
            "vip-llava-bf16", 1313, clip(), llama_text(vocab, **llama_small()), llama, clip_processor(tile, tile), -2,
            "default", "v5", kind="vipllava", chat_template=vocabularies.VIP, dtype=torch.bfloat16, shard_size="40KB",
            trained=False, responses=short,
        ),
    ]  # fmt: skip
    return {recipe.name: recipe for recipe in made}


def config_of(recipe: FamilyRecipe):
    parts = dict(
        vision_config=recipe.vision, text_config=recipe.text, vision_feature_layer=recipe.feature_layer,
        image_token_index=recipe.tokenizer.convert_tokens_to_ids("<image>"),
        tie_word_embeddings=recipe.text.tie_word_embeddings,
    )  # fmt: skip
    if recipe.kind == "vipllava":
        return VipLlavaConfig(**parts, projector_layernorm_eps=2e-5)
    parts |= {
        "vision_feature_select_strategy": recipe.strategy,
        "image_grid_pinpoints": pinpoints(recipe.grids, recipe.vision.image_size),
    }
    if recipe.kind == "llava_next":
        return LlavaNextConfig(**parts)
    return LlavaOnevisionConfig(**parts, vision_aspect_ratio=recipe.aspect_ratio, video_token_index=vocab_end(recipe))


def vocab_end(recipe: FamilyRecipe) -> int:
    """A video token that no text has."""
    return recipe.text.vocab_size - 1


def build(recipe: FamilyRecipe):
    """The model in float32, attention computed eagerly, weights already rounded to the recipe's dtype."""
    model = MODELS[recipe.kind]._from_config(config_of(recipe), attn_implementation="eager", dtype=torch.float32).eval()
    randomise(model, recipe.seed)
    with torch.no_grad():
        if recipe.kind != "vipllava":
            # As large as other rows of a prompt, so that one in a wrong place shows.
            generator = torch.Generator().manual_seed(recipe.seed + 4)
            model.model.image_newline.copy_(0.6 * torch.randn(model.model.image_newline.shape, generator=generator))
        model.lm_head.weight[len(recipe.tokenizer):] = 0
        for parameter in model.parameters():
            parameter.copy_(parameter.to(recipe.dtype).to(torch.float32))
    model.generation_config = generation_config(recipe)
    return model


def save(recipe: FamilyRecipe, model, folder: Path) -> None:
    """Writes the folder and loads it again, without a missing, unexpected or changed tensor."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    saved = type(model)(model.config)
    saved.load_state_dict(model.state_dict())
    saved.generation_config = model.generation_config
    saved.to(recipe.dtype).save_pretrained(folder, max_shard_size=recipe.shard_size)
    rename_tensors(folder, model.state_dict().keys(), NAMINGS[recipe.naming], recipe.text.tie_word_embeddings)
    recipe.processor().save_pretrained(folder)
    if recipe.naming == "v4":
        write_v4_config(recipe, folder)
        write_hub_files(recipe, folder)
    tokenizer_class = {"qwen2": "Qwen2Tokenizer"}.get(recipe.text.model_type, "LlamaTokenizer")
    set_tokenizer_class(folder, tokenizer_class, recipe.chat_template)
    reloaded, report = type(model).from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    problems = {kind: names for kind, names in report.items() if names}
    if problems:
        raise ValueError(f"{recipe.name} does not load cleanly: {problems}")
    for name, value in model.state_dict().items():
        if not torch.equal(value, reloaded.state_dict()[name]):
            raise ValueError(f"{recipe.name}: {name} changed on the way to disk and back")


def write_hub_files(recipe: FamilyRecipe, folder: Path) -> None:
    """config.json, processor_config.json and preprocessor_config.json with the fields that llava-hf's folders have."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    strategy = {"vision_feature_select_strategy": recipe.strategy}
    write_preprocessor(recipe.image_processor, folder)
    if recipe.kind == "vipllava":
        config["vision_feature_layers"] = config.pop("vision_feature_layer")
        parts = {"patch_size": recipe.vision.patch_size, "num_additional_image_tokens": 1, **strategy}
        write_json(folder / "processor_config.json", {"image_token": "<image>", "processor_class": "LlavaProcessor", **parts})
        write_json(path, config)
        return
    config["use_image_newline_parameter"] = True
    write_json(path, config)
    name = type(recipe.image_processor).__name__.removesuffix("ImageProcessorPil")
    pictures = json.loads((folder / "preprocessor_config.json").read_text())
    pictures |= {"image_grid_pinpoints": config["image_grid_pinpoints"], "do_pad": True, "processor_class": f"{name}Processor"}
    if recipe.kind == "llava_next":
        pictures["aspect_ratio_setting"] = "anyres"
        parts = {"patch_size": recipe.vision.patch_size, "num_additional_image_tokens": 1}
    else:
        parts = {"num_image_tokens": recipe.patches_a_side**2, "video_token": "<video>",
                 "vision_aspect_ratio": recipe.aspect_ratio}  # fmt: skip
    write_json(folder / "preprocessor_config.json", pictures)
    written = {"image_token": "<image>", "processor_class": f"{name}Processor", **strategy, **parts}
    write_json(folder / "processor_config.json", written)


def record_images(record: Record, recipe: FamilyRecipe, model, photos: list[Path]) -> None:
    """Pixel values of each tile, those of one image after the other, and the features as the prompt takes them."""
    images = [Image.open(path) for path in photos]
    read = recipe.image_processor(images=images, return_tensors="pt")
    sized = {"image_sizes": read["image_sizes"]} if "image_sizes" in read else {}
    outputs = model.get_image_features(pixel_values=read["pixel_values"], **sized)
    facts = {
        "files": [f"../images/{path.name}" for path in photos],
        "image_processor": type(recipe.image_processor).__name__ + " (PIL, the 'slow' path)",
    }
    pixels = read["pixel_values"]
    if sized:
        facts["sizes"] = [list(image.size) for image in images]
        facts["tiles"] = [tiles_of(model.config, *image.size) for image in images]
        facts["rows"] = [len(rows) for rows in outputs.pooler_output]
        pixels = torch.cat([image[:count] for image, count in zip(pixels, facts["tiles"])])
    record.tensor("pixel_values", pixels)
    record.tensor("vision.projected", torch.cat(list(outputs.pooler_output)) if sized else outputs.pooler_output)
    record.value("images", facts)
    if recipe.trained and sized:
        record.value("layouts", layouts(recipe))


def tiles_of(config, width: int, height: int) -> int:
    return image_size_to_num_patches([height, width], config.image_grid_pinpoints, config.vision_config.image_size)


def layouts(recipe: FamilyRecipe) -> list[dict]:
    """Tiles and image tokens of pictures of many sizes, in the sizes of the published models."""
    found = []
    tile = 336 if recipe.kind == "llava_next" else 384
    grids = pinpoints(recipe.grids, tile)
    pictures = type(recipe.image_processor)(image_grid_pinpoints=grids, size={"height": tile, "width": tile})
    vision = type(recipe.vision)(image_size=tile, patch_size=14)
    processor = replace(recipe, vision=vision, image_processor=pictures).processor()
    for width, height in PICTURES:
        tokens = processor._get_num_multimodal_tokens(image_sizes=[[height, width]])["num_image_tokens"][0]
        tiles = image_size_to_num_patches([height, width], grids, tile)
        found.append({"width": width, "height": height, "tiles": tiles, "tokens": tokens})
    return found
