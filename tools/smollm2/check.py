"""Witness for convert.ts and join.ts: the folders that they write, by transformers; not needed by the product or its CI.

python3.11 -m venv VENV && VENV/bin/pip install torch transformers gguf accelerate safetensors pillow torchvision
VENV/bin/python tools/smollm2/check.py language LANGUAGE_MODEL FILE.gguf
npx tsx tools/smollm2/writeLogits.ts JOINED LOGITS.safetensors && VENV/bin/python tools/smollm2/check.py joined JOINED LOGITS.safetensors
"""

import copy
import os
import sys

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoProcessor, AutoTokenizer, LlavaForConditionalGeneration

torch.set_num_threads(1)
SENTENCE = (
    "The quick brown fox jumps over the lazy dog, and then it runs back into the forest where its family is waiting."
)
TEXTS = [
    SENTENCE,
    "In 1984 there were 12345 cats; na\u00efve caf\u00e9 \u2014 \u6771\u4eac \U0001f642\n\n\tdef f(x): return x**2  # it's   fine",
    "<|im_start|>user\nHello!<|im_end|>\n",
]


def load(kind, folder, **options):
    model, report = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True, **options)
    print("missing or unexpected tensors:", {key: value for key, value in report.items() if value} or "none")
    return model.eval()


@torch.no_grad()
def perplexity(model, ids):
    return float(torch.exp(model(ids, labels=ids).loss))


@torch.no_grad()
def check_language(folder, gguf):
    """Greedy text, perplexity, and weights, logits and token ids of transformers' own reading of the GGUF file."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), load(AutoModelForCausalLM, folder)
    for text in ["The capital of France is", "Gravity is"]:
        print(repr(tokenizer.decode(model.generate(**tokenizer(text, return_tensors="pt"), max_new_tokens=24)[0])))
    ids = tokenizer(SENTENCE, return_tensors="pt").input_ids
    print("perplexity:", perplexity(model, ids))
    permuted, config = copy.deepcopy(model), model.config
    for layer in permuted.model.layers:
        for projection in (layer.self_attn.q_proj, layer.self_attn.k_proj):
            rows = projection.weight.view(-1, 2, config.head_dim // 2, config.hidden_size)
            projection.weight.copy_(rows.transpose(1, 2).reshape(-1, config.hidden_size).clone())
    print("perplexity with rows as GGUF has them:", perplexity(permuted, ids))
    where = {"pretrained_model_name_or_path": os.path.dirname(gguf), "gguf_file": os.path.basename(gguf)}
    witness = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).eval()
    ours, theirs = model.state_dict(), witness.state_dict()
    print("equal tensors:", sum(torch.equal(ours[name], theirs[name]) for name in ours), "of", len(theirs))
    print("largest difference of logits:", float((model(ids).logits - witness(ids).logits).abs().max()))
    witness_tokenizer = AutoTokenizer.from_pretrained(**where)
    for text in TEXTS:
        found = tokenizer(text).input_ids
        print("same ids:", found == witness_tokenizer(text).input_ids, "same text:", tokenizer.decode(found) == text)


@torch.no_grad()
def check_joined(folder, logits):
    """The engine's logits for a picture, a question and an answer, and the ids of its prompt."""
    engine, model = load_file(logits), load(LlavaForConditionalGeneration, folder, attn_implementation="eager")
    ids = engine["ids"]
    found = model(input_ids=ids, pixel_values=engine["pixels"], attention_mask=torch.ones_like(ids)).logits[0]
    print("largest difference of logits:", float((found - engine["logits"]).abs().max()), "of", float(found.abs().max()))
    content = [{"type": "image"}, {"type": "text", "text": "Describe this image."}]
    processor = AutoProcessor.from_pretrained(folder)
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    picture = torch.zeros(3, 72, 72, dtype=torch.uint8)
    prompt = processor(text=text, images=picture, return_tensors="pt").input_ids[0]
    print("same prompt:", bool((prompt == ids[0, : len(prompt)]).all()), len(prompt), "tokens")


if __name__ == "__main__":
    {"language": check_language, "joined": check_joined}[sys.argv[1]](*sys.argv[2:])
