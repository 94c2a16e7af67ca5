"""Trains the tiny tokenizers in the four styles that real checkpoints use, and names the texts they are tried on."""

import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

CORPUS = [
    "A red cup stands on the wooden table beside a book and a lamp.",
    "USER: What is in the picture? ASSISTANT: The picture shows a dog and two cats near a tree.",
    "Describe the image in detail. The image shows a person riding a bicycle down the street.",
    "a photo of a dog, a photo of a cat, a photo of a car, a photo of a bottle",
    "There are three apples, one banana and an orange in the bowl; it's on the table.",
    "You are a helpful assistant. user system assistant",
    "The man isn't holding an umbrella, but the woman's bag is blue and the sky is grey.",
    "What is on the table? What colour is the car? How many people are there?",
] * 4

TOKENIZER_TEXTS = [
    "A red cup stands on the table.",
    "  two  spaces,\ttab\nand a newline ",
    "It's the woman's umbrella; they're 1234 cats!",
    "Über naïve café, 数 日本 и мир",
    "👩‍🌾 farmer 🐈 e\u0301 combining",
    "",
    "\n",
]

QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CLIP_SPLIT = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
)
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'}}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] }}{% endfor %}"
    "{% endif %}{{'<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
MISTRAL_INST = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' }}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] }}{% endfor %}"
    "{{ ' [/INST]' }}{% elif message['role'] == 'assistant' %}"
    "{% for content in message['content'] %}{{ ' ' + content['text'] }}{% endfor %}{{ eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}"
)

# As the card of llava-onevision-qwen2-0.5b-ov-hf spells it: a space after the role, the image before the text.
ONEVISION = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + ' '}}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'video') %}{{ '<video>' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}"
    "{{ '\n' + content['text'] }}{% endfor %}{{'<|im_end|>'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# As the card of vip-llava-7b-hf spells its prompt, without the sentence before it.
VIP = (
    "{% for message in messages %}"
    "{{ '###' + {'user': 'Human', 'assistant': 'Assistant'}[message['role']] + ': ' }}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}"
    "{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] }}{% endfor %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '###Assistant:' }}{% endif %}"
)

# The template of SmolVLM-256M-Instruct, as its model card has it.
SMOLVLM = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


def _special(content: str):
    return AddedToken(content, normalized=False, special=True)


def llama_tokenizer(legacy: bool) -> PreTrainedTokenizerFast:
    """Sentencepiece-style BPE with byte fallback. `legacy` prepends the space by normalizer (LLaMA 1 and 2, LLaVA-1.5);
    otherwise a Metaspace pre-tokenizer does, on the first piece only (newer Mistral files)."""
    byte_tokens = [f"<0x{value:02X}>" for value in range(256)]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    metaspace = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=True)
    tokenizer.pre_tokenizer = metaspace
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<unk>", "<s>", "</s>", *byte_tokens], show_progress=False, max_token_length=8
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    # The trainer marks the byte tokens special; real files keep them as ordinary vocabulary.
    model = models.BPE(
        vocab=tokenizer.get_vocab(), merges=_merges(tokenizer), unk_token="<unk>", fuse_unk=True, byte_fallback=True
    )
    tokenizer = Tokenizer(model)
    if legacy:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([_special(token) for token in ("<unk>", "<s>", "</s>", "<image>", "<pad>")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>",
        padding_side="left", clean_up_tokenization_spaces=False, model_max_length=2048,
    )


def _merges(tokenizer: Tokenizer) -> list[tuple[str, str]]:
    return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def qwen_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE with Qwen2's split pattern, NFC normalisation and ChatML markers; no beginning-of-text token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=400, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), max_token_length=9
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(
        [_special(token) for token in ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", padding_side="left",
        clean_up_tokenization_spaces=False, model_max_length=2048,
    )


def smolvlm_tokenizer() -> PreTrainedTokenizerFast:
    """SmolLM2's byte-level BPE with single digits, and the markers that Idefics3 puts around images and their tiles."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    first = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=370, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), max_token_length=9,
        special_tokens=first,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tiles = [f"<row_{row}_col_{column}>" for row in range(1, 4) for column in range(1, 5)]
    tokenizer.add_special_tokens(
        [_special(token) for token in
         (*first, "<global-img>", *tiles, "<fake_token_around_image>", "<image>", "<end_of_utterance>")]
    )  # fmt: skip
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|im_start|>", eos_token="<end_of_utterance>", pad_token="<|im_end|>",
        unk_token="<|endoftext|>", padding_side="left", clean_up_tokenization_spaces=False, model_max_length=8192,
    )


def clip_tokenizer(max_length: int) -> PreTrainedTokenizerFast:
    """CLIP's lower-casing byte-level BPE whose words end in </w>; <|startoftext|> text <|endoftext|>."""
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>", continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(CLIP_SPLIT), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=620, show_progress=False, end_of_word_suffix="</w>", initial_alphabet=alphabet, max_token_length=9,
        special_tokens=[*(letter + "</w>" for letter in alphabet)],
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    vocab = tokenizer.get_vocab()
    model = models.BPE(
        vocab={**vocab, "<|startoftext|>": len(vocab), "<|endoftext|>": len(vocab) + 1}, merges=_merges(tokenizer),
        unk_token="<|endoftext|>", end_of_word_suffix="</w>", continuing_subword_prefix="",
    )
    clip = Tokenizer(model)
    clip.normalizer, clip.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    clip.decoder = decoders.ByteLevel()
    clip.add_special_tokens([_special("<|startoftext|>"), _special("<|endoftext|>")])
    clip.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", len(vocab) + 1), ("<|startoftext|>", len(vocab)), trim_offsets=False, add_prefix_space=False
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=clip, bos_token="<|startoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>",
        pad_token="<|endoftext|>", model_max_length=max_length,
    )


def siglip_tokenizer(max_length: int) -> PreTrainedTokenizerFast:
    """SigLIP's lower-casing, punctuation-dropping Unigram; text </s>, padded with </s> to a fixed length."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Lowercase(),
            normalizers.Replace(Regex(r"[!-/:-@\[-`{-~]"), ""),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    # The trainer's sums run in no fixed order; rounding and sorting make the file the same every time.
    pieces = [(piece, round(score, 6)) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"]]
    pieces[3:] = sorted(pieces[3:], key=lambda entry: (-entry[1], entry[0]))
    tokenizer.model = models.Unigram(pieces, unk_id=2, byte_fallback=False)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>", pad_token="</s>", model_max_length=max_length,
        model_input_names=["input_ids"],
    )
