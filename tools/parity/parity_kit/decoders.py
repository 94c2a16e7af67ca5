"""LLaVA checkpoints with the decoders of Qwen3, Phi3 and Gemma 2, two of each, in small vocabularies."""

import json
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CLIPVisionConfig, Gemma2Config, LlavaConfig, Phi3Config, PreTrainedTokenizerFast, Qwen3Config

from parity_kit import checkpoints, vocabularies
from parity_kit.checkpoints import Recipe

build = checkpoints.build

CONTENT = (
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] }}{% endfor %}"
)
# As the model cards of Phi-3 and Gemma 2 have them, with parts for images.
PHI3 = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>\n' }}" + CONTENT + "{{ '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)
GEMMA2 = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\n' }}" + CONTENT
    + "{{ '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)


WORDS = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="never"), pre_tokenizers.Punctuation()])


def _trained(
    tokenizer: Tokenizer, vocab_size: int, first: list[str], more: list[AddedToken], newline: str, **names
) -> PreTrainedTokenizerFast:
    """Merges of the corpus; where the tokenizer splits nothing, none of them across words and signs."""
    split = tokenizer.pre_tokenizer
    if newline == "\n":
        tokenizer.pre_tokenizer = WORDS
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=first, initial_alphabet=[newline], show_progress=False, max_token_length=9
    )
    tokenizer.train_from_iterator(vocabularies.CORPUS, trainer)
    tokenizer.pre_tokenizer = split
    tokenizer.add_tokens(more)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, padding_side="left", clean_up_tokenization_spaces=False, model_max_length=512, **names
    )


def _mark(text: str, rstrip: bool = False) -> AddedToken:
    return AddedToken(text, normalized=False, special=True, rstrip=rstrip)


def qwen3_tokenizer() -> PreTrainedTokenizerFast:
    """Qwen3's: that of Qwen2, and markers of thought that are no special tokens. Bytes outside of the corpus have none."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(vocabularies.QWEN_SPLIT), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    thoughts = [AddedToken(text, normalized=False, special=False) for text in ("<think>", "</think>")]
    marks = [_mark(text) for text in ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>")]
    return _trained(tokenizer, 130, [], [*marks, *thoughts], "Ċ", eos_token="<|im_end|>", pad_token="<|endoftext|>")


def phi3_tokenizer() -> PreTrainedTokenizerFast:
    """Phi-3's: that of LLaMA, whose markers of turns swallow the white space after them, and no begin token before a text."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    turns = [_mark(text, rstrip=True) for text in ("<|assistant|>", "<|end|>", "<|user|>")]
    marks = [_mark("<|endoftext|>"), *turns, _mark("<image>"), _mark("<pad>")]
    return _trained(
        tokenizer, 140, ["<unk>", "<s>", "</s>"], marks, "\n", bos_token="<s>", eos_token="<|endoftext|>",
        unk_token="<unk>", pad_token="<pad>",
    )  # fmt: skip


def gemma2_tokenizer() -> PreTrainedTokenizerFast:
    """Gemma 2's: spaces become ▁ and none is put before the text; its pre-tokenizer finds no space any more."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    first = ["<pad>", "<eos>", "<bos>", "<unk>"]
    marks = [_mark(text) for text in ("<start_of_turn>", "<end_of_turn>", "<image>")]
    made = _trained(
        tokenizer, 140, first, marks, "\n", bos_token="<bos>", eos_token="<eos>", unk_token="<unk>", pad_token="<pad>"
    )
    made.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos> $B", special_tokens=[("<bos>", made.convert_tokens_to_ids("<bos>"))]
    )
    return made


def vision() -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=24, patch_size=8,
        projection_dim=16,
    )


def recipes() -> dict[str, Recipe]:
    """The six folders by name. Their vocabularies are padded, so some ids have no token."""
    qwen, phi, gemma = qwen3_tokenizer(), phi3_tokenizer(), gemma2_tokenizer()
    sizes = dict(hidden_size=24, intermediate_size=32, num_hidden_layers=2, max_position_embeddings=256)

    def special(tokenizer: PreTrainedTokenizerFast) -> dict:
        return dict(
            vocab_size=-(-len(tokenizer) // 8) * 8, bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        )

    def recipe(name: str, seed: int, text, tokenizer, naming: str, template: str, **more) -> Recipe:
        return Recipe(
            name, seed, vision(), text, tokenizer, checkpoints.clip_processor(24, 24), -2, "default", naming,
            chat_template=template, **more,
        )  # fmt: skip

    half = dict(dtype=torch.bfloat16, trained=False, shard_size="30KB")
    factors = {"short_factor": [1.0, 1.25, 1.7], "long_factor": [1.5, 3.0, 9.0]}
    made = [
        # Norms of queries and keys, heads wider than hidden / heads.
        recipe(
            "llava-qwen3", 811,
            Qwen3Config(**sizes, **special(qwen), num_attention_heads=4, num_key_value_heads=2, head_dim=10),
            qwen, "v5", vocabularies.CHATML, extra_eos=["<|endoftext|>"],
        ),
        # Biases, windows in the upper layer, tied.
        recipe(
            "llava-qwen3-bf16", 812,
            Qwen3Config(
                **sizes, **special(qwen), num_attention_heads=3, num_key_value_heads=1, head_dim=8, attention_bias=True,
                tie_word_embeddings=True, use_sliding_window=True, sliding_window=9, max_window_layers=1,
            ),
            qwen, "module", vocabularies.CHATML, **half,
        ),
        # As Phi-4-mini and Phi-3.5: part of each head is rotated, by LongRoPE.
        recipe(
            "llava-phi3", 921,
            Phi3Config(
                **{**sizes, "hidden_size": 32}, **special(phi), num_attention_heads=4, num_key_value_heads=2,
                original_max_position_embeddings=64,
                rope_parameters={"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.75, **factors},
            ),
            phi, "v4", PHI3,
        ),
        # As Phi-3-mini-4k: as many keys as heads, a window in every layer.
        recipe(
            "llava-phi3-bf16", 822, Phi3Config(**sizes, **special(phi), num_attention_heads=3, sliding_window=9),
            phi, "v5", PHI3, **half,
        ),
        # Caps low enough to bite; that of the logits is not LLaVA's.
        recipe(
            "llava-gemma2", 831,
            Gemma2Config(
                **sizes, **special(gemma), num_attention_heads=4, num_key_value_heads=2, head_dim=10,
                query_pre_attn_scalar=6, attn_logit_softcapping=4.0, final_logit_softcapping=2.0, sliding_window=9,
                tie_word_embeddings=False,
            ),
            gemma, "v4", GEMMA2,
        ),
        # Tied as the published ones; the other way round with windows; no cap.
        recipe(
            "llava-gemma2-bf16", 935,
            Gemma2Config(
                **sizes, **special(gemma), num_attention_heads=2, num_key_value_heads=1, head_dim=8, attention_bias=True,
                query_pre_attn_scalar=8, attn_logit_softcapping=None, sliding_window=9,
                layer_types=["full_attention", "sliding_attention"],
            ),
            gemma, "v5", GEMMA2, **half,
        ),
    ]  # fmt: skip
    return {recipe.name: recipe for recipe in made}


def save(recipe: Recipe, model, folder: Path) -> None:
    """As any LLaVA; the older layout with the fields that the hub's files of these decoders have."""
    checkpoints.save(recipe, model, folder)
    if recipe.naming != "v4":
        return
    path = folder / "config.json"
    config = json.loads(path.read_text())
    text = config["text_config"]
    if recipe.text.model_type == "phi3":
        scaling = text.pop("rope_scaling")
        text["rope_scaling"] = {name: scaling[name] for name in ("long_factor", "short_factor")} | {"type": "longrope"}
        text |= {"partial_rotary_factor": scaling["partial_rotary_factor"], "rope_theta": 10000.0, "attention_bias": False,
                 "full_attn_mod": 1, "interpolate_factor": 1, "lm_head_bias": False, "mlp_bias": False}  # fmt: skip
    if recipe.text.model_type == "gemma2":
        text |= {"hidden_act": "gelu_pytorch_tanh", "cache_implementation": "hybrid", "sliding_window_size": 9}
        del text["layer_types"]
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    read, meant = LlavaConfig.from_pretrained(folder).text_config, recipe.text
    rope = {name: value for name, value in read.rope_parameters.items() if name != "type"}
    if rope != meant.rope_parameters or getattr(read, "layer_types", None) != getattr(meant, "layer_types", None):
        raise ValueError(f"{recipe.name}: {rope} is not {meant.rope_parameters}")
