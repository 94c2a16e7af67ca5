"""Ids, offsets and texts of the `tokenizers` library for every component that the engine computes, on hard texts.

Needs only `tokenizers` of requirements.txt. A variant is the tokenizer.json of a fixture folder with some fields set:

    .venv/bin/python tools/parity/make_tokenizer_variants.py
"""

import base64
import json
import random
import struct
from pathlib import Path

import tokenizers

FIXTURES = Path(__file__).parent / "fixtures"
CASES = 14

PARTS = [
    "<image>", "</s>", "<|im_end|>", " ", "  ", "\n", "\t", "\r\n", "▁", "</w>", "<0x41>", "the table", " the", "'s",
    "n't", "é", "e\u0301", "🐈", "👩‍🌾", "한", "\u1112\u1161\u11ab", "\u0323\u0307", "s\u0307\u0323", "ﬁ", "①", "½", "İ",
    "ß", "ΑΣ", "1234", "१२", "ǆ", "\u00a0", "\u3000", "\x85", "_", "!", "user", "dog", "...", "ﷺ", "\u212b", "\U0001d400",
    "x<mask>", "  <mask>  ", "mask", "Word", "Word ", "aWordb", "hello<B>  ", " <B>",
]

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
PREFIXED = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}


def sequence(kind: str, *steps: dict) -> dict:
    return {"type": "Sequence", kind: list(steps)}


def split(behavior: str, invert: bool) -> dict:
    pattern = {"Regex": r"\s|the"}
    step = {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}
    return {"pre_tokenizer": sequence("pretokenizers", step, BYTE_LEVEL)}


def metaspace(scheme: str, splits: bool) -> dict:
    step = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": splits}
    return {"pre_tokenizer": step, "decoder": step}


def around(identifier: str, token_id: int) -> dict:
    return {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": identifier, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {identifier: {"id": identifier, "ids": [token_id], "tokens": [identifier]}},
    }


def added(base: str, first_id: int) -> dict:
    """Added tokens with every option, behind those of the base; `normalized` ones are sought in normalised text."""
    kinds = [
        ("<mask>", {"lstrip": True}), ("<B>", {"rstrip": True}), ("Word", {"single_word": True}),
        ("mask", {"normalized": True}), ("<ma", {}), ("e\u0301!", {"normalized": True}),
    ]
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    tokens = [{"id": first_id + at, "content": text, **plain, **options} for at, (text, options) in enumerate(kinds)]
    return {"added_tokens": base_file(base)["added_tokens"] + tokens}


def double_array(pairs: list[tuple[bytes, int]]) -> bytes:
    """A Darts double array: for each node, the smallest free base that fits all its labels; 0 ends a key."""
    units, bases = {0: 0}, set()

    def add(node: int, keys: list[tuple[bytes, int]], depth: int) -> None:
        by_label: dict[int, list] = {}
        for key, value in keys:
            by_label.setdefault(key[depth] if depth < len(key) else 0, []).append((key, value))
        base = next(b for b in range(1, 1 << 21) if b not in bases and all(b ^ label not in units for label in by_label))
        bases.add(base)
        units[node] |= (base ^ node) << 10
        for label, below in by_label.items():
            units[base ^ label] = label
            if label == 0:
                units[node] |= 1 << 8
                units[base] = below[0][1] | 1 << 31
        for label, below in by_label.items():
            if label != 0:
                add(base ^ label, below, depth + 1)

    add(0, sorted(pairs), 0)
    return b"".join(struct.pack("<I", units.get(index, 0)) for index in range((max(units) | 255) + 1))


def charsmap() -> str:
    mapping = {
        "①": "1", "½": "1/2", "ﬁ": "fi", "\u00a0": " ", "\u3000": " ", "é": "e", "e\u0301": "E", "ﷺ": "صلى الله", "\t": " ",
        "\n": " ", "\r\n": " ", "\u212b": "A\u030a", "_": "",
    }
    texts, pairs = b"", []
    for key, value in mapping.items():
        pairs.append((key.encode(), len(texts)))
        texts += value.encode() + b"\0"
    trie = double_array(pairs)
    return base64.b64encode(struct.pack("<I", len(trie)) + trie + texts).decode()


def variants() -> list[tuple[str, str, dict]]:
    """Name, base folder, and the fields to set; a dotted name is a field of a field."""
    qwen, llama, mistral, clip, siglip = "siglip-qwen2", "clip-llama", "clip-mistral", "clip-encoder", "siglip-encoder"
    bytes_of_text = [[f"<0x{byte:02X}>", -9.0] for byte in range(256)]
    precompiled = {"type": "Precompiled", "precompiled_charsmap": charsmap()}
    few = ["<unk>", "<s>", "</s>", "t", "h", "e", "##h", "##e", "th", "the", "a", "##a", "##t", "at", "ta"]
    return [
        ("byte-level with a space before the text", qwen, {"pre_tokenizer": PREFIXED, "post_processor": PREFIXED}),
        ("LLaMA 3", qwen, {
            "pre_tokenizer": {**BYTE_LEVEL, "use_regex": True}, "model.ignore_merges": True,
            "post_processor": sequence("processors", BYTE_LEVEL, around("<|im_start|>", 401)),
        }),
        ("NFKC", qwen, {"normalizer": {"type": "NFKC"}}),
        ("NFD, lower case", qwen, {"normalizer": sequence("normalizers", {"type": "NFD"}, {"type": "Lowercase"})}),
        ("NFKD, no accents", qwen, {"normalizer": sequence("normalizers", {"type": "NFKD"}, {"type": "StripAccents"})}),
        *((f"split {behavior} {invert}", qwen, split(behavior, invert))
          for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
          for invert in (False, True)),
        *((f"digits {single}", qwen, {"pre_tokenizer": sequence(
            "pretokenizers", {"type": "WhitespaceSplit"}, {"type": "Digits", "individual_digits": single}, BYTE_LEVEL,
        )}) for single in (False, True)),
        *((f"metaspace {scheme} {splits}", mistral, metaspace(scheme, splits))
          for scheme in ("always", "first", "never") for splits in (False, True)),
        ("added tokens, sentencepiece", llama, added(llama, 402)),
        ("added tokens, byte-level", qwen, added(qwen, 404)),
        ("added tokens, lower-casing", clip, added(clip, 622)),
        ("unknown tokens fused", llama, {"model.byte_fallback": False}),
        ("unknown tokens apart", llama, {"model.byte_fallback": False, "model.fuse_unk": False}),
        ("unigram with byte fallback", siglip, {
            "model.vocab": base_file(siglip)["model"]["vocab"] + bytes_of_text, "model.byte_fallback": True,
            "decoder": sequence("decoders", {"type": "ByteFallback"}, base_file(siglip)["decoder"]),
        }),
        ("replacements", llama, {"normalizer": sequence(
            "normalizers", {"type": "Strip", "strip_left": True, "strip_right": False},
            {"type": "Replace", "pattern": {"Regex": "a|the"}, "content": "xyz"},
            {"type": "Replace", "pattern": {"Regex": " +"}, "content": ""}, {"type": "Prepend", "prepend": "▁"},
        )}),
        ("text between tokens", llama, {
            "post_processor": {"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]}, "decoder": None,
        }),
        ("prefix inside of words", llama, {
            "model.continuing_subword_prefix": "##", "model.vocab": {token: at for at, token in enumerate(few)},
            "model.merges": [["t", "##h"], ["th", "##e"], ["a", "##t"]], "model.byte_fallback": False,
            "added_tokens": base_file(llama)["added_tokens"][:3], "normalizer": None,
        }),
        ("charsmap, unigram", siglip, {"normalizer": sequence(
            "normalizers", precompiled, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
        )}),
        ("charsmap, byte-level", qwen, {"normalizer": precompiled}),
    ]


def base_file(folder: str) -> dict:
    return json.loads((FIXTURES / folder / "tokenizer.json").read_text())


def changed(folder: str, fields: dict) -> tokenizers.Tokenizer:
    file = base_file(folder)
    for name, value in fields.items():
        *outer, last = name.split(".")
        (file[outer[0]] if outer else file)[last] = value
    return tokenizers.Tokenizer.from_str(json.dumps(file))


def cases(tokenizer: tokenizers.Tokenizer, draw: random.Random, decodes: bool) -> list[dict]:
    found = []
    while len(found) < CASES:
        text = "".join(draw.choice(PARTS) for _ in range(draw.randrange(1, 9)))
        # The library's offsets are wrong for all of a text whose first character a charsmap removes.
        if text.startswith("_"):
            continue
        encoded = tokenizer.encode(text)
        case = {"text": text, "input_ids": encoded.ids, "offsets_code_points": encoded.offsets}
        if decodes:
            case["decoded_skipping_special"] = tokenizer.decode(encoded.ids)
            case["any_ids"] = [draw.randrange(tokenizer.get_vocab_size()) for _ in range(draw.randrange(10))]
            case["any_text"] = tokenizer.decode(case["any_ids"])
        found.append(case)
    return found


def main() -> None:
    draw, made = random.Random(11), []
    for name, base, fields in variants():
        # This version decodes added tokens that are sought in normalised text as what the normaliser makes of them.
        decodes = "added_tokens" not in fields
        made.append({"name": name, "base": base, "set": fields, "cases": cases(changed(base, fields), draw, decodes)})
    lines = ",\n".join(json.dumps(variant, ensure_ascii=False, separators=(",", ":")) for variant in made)
    folder = FIXTURES / "tokenizers"
    folder.mkdir(exist_ok=True)
    header = json.dumps({"tokenizers": tokenizers.__version__})
    (folder / "variants.json").write_text(f'{{"made_by":{header},"variants":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
