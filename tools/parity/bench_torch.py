"""PyTorch's side of the bench: GEMM peak, memory bandwidth, prefill, decode and LoRA train step at the scales of
bench_scales.json, as a table and as JSON.

    bench_torch.py [--threads 1] [--scales S,M,L] [--repeats 3] [--device cpu|cuda] [--json FILE]
"""

import argparse
import json
import time
from pathlib import Path

import psutil
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

SETTINGS = json.loads((Path(__file__).parent / "bench_scales.json").read_text())
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def now() -> float:
    """Seconds, once the device has done all it was given."""
    if torch.get_default_device().type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def fastest_seconds(work, repeats: int) -> float:
    """The best of `repeats` runs after one to warm up: other programs only ever add time."""
    work()
    seconds = []
    for _ in range(repeats):
        start = now()
        work()
        seconds.append(now() - start)
    return min(seconds)


def gemm_peak(repeats: int) -> float:
    """GFLOP/s of a float32 product of square matrices, of an edge that fills the device."""
    edge = 1024 if torch.get_default_device().type == "cpu" else 8192
    left, right = torch.randn(edge, edge), torch.randn(edge, edge)
    return 2 * edge**3 / fastest_seconds(lambda: left @ right, repeats * 5) / 1e9


def memory_bandwidth(repeats: int) -> float:
    """GB/s read by a float32 matrix-vector product over 512 MB: what decode at batch 1 does."""
    matrix, vector = torch.randn(16384, 8192), torch.randn(8192)
    return matrix.numel() * 4 / fastest_seconds(lambda: matrix @ vector, repeats) / 1e9


def build(scale: dict) -> LlamaForCausalLM:
    shared = {key: SETTINGS[key] for key in ("vocab_size", "rms_norm_eps", "tie_word_embeddings")}
    rope = {"rope_type": "default", "rope_theta": SETTINGS["rope_theta"]}
    config = LlamaConfig(**{**shared, **scale}, rope_parameters=rope, max_position_embeddings=2048, eos_token_id=None)
    torch.manual_seed(0)
    return LlamaForCausalLM(config).eval().to(torch.get_default_device())


@torch.no_grad()
def prefill_seconds(model: LlamaForCausalLM, repeats: int) -> float:
    shape = SETTINGS["prefill"]
    ids = torch.randint(0, SETTINGS["vocab_size"], (shape["batch"], shape["tokens"]))
    return fastest_seconds(lambda: model(ids, use_cache=True, logits_to_keep=1), repeats)


@torch.no_grad()
def decode_tokens_per_second(model: LlamaForCausalLM, batch: int, repeats: int) -> float:
    """Greedy steps over transformers' key-value cache; the prompt's own time is taken off."""
    shape = SETTINGS["decode"]
    ids = torch.randint(0, SETTINGS["vocab_size"], (batch, shape["context"]))
    best = 0.0
    for _ in range(repeats):
        output = model(ids, use_cache=True, logits_to_keep=1)
        token, cache = output.logits[:, -1].argmax(-1, keepdim=True), output.cache
        start = now()
        for _ in range(shape["new_tokens"]):
            output = model(token, cache=cache, use_cache=True)
            token = output.logits[:, -1].argmax(-1, keepdim=True)
        best = max(best, batch * shape["new_tokens"] / (now() - start))
    return best


def train_step_seconds(model: LlamaForCausalLM, repeats: int) -> float:
    """Forward, backward and AdamW on LoRA factors; the head is computed on the last loss_tokens columns only."""
    shape = SETTINGS["train"]
    config = LoraConfig(r=shape["rank"], lora_alpha=shape["alpha"], target_modules=TARGETS, task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config).train()
    optimizer = torch.optim.AdamW([value for value in adapted.parameters() if value.requires_grad], lr=1e-4)
    ids = torch.randint(0, SETTINGS["vocab_size"], (shape["batch"], shape["tokens"]))
    kept = shape["loss_tokens"]

    def step() -> None:
        logits = adapted(input_ids=ids, use_cache=False, logits_to_keep=kept + 1).logits[:, :-1]
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, -kept:].flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()

    return fastest_seconds(step, repeats)


def train_flops(scale: dict) -> float:
    """Matrix products of one step: forward and the inputs' gradients of the frozen weights (4 FLOP a weight and token),
    three passes over the attention products, the head on loss_tokens only; the LoRA factors are left out."""
    shape, hidden, layers = SETTINGS["train"], scale["hidden_size"], scale["num_hidden_layers"]
    tokens = shape["batch"] * shape["tokens"]
    shared = scale["num_key_value_heads"] / scale["num_attention_heads"]
    body = layers * ((2 + 2 * shared) * hidden**2 + 3 * hidden * scale["intermediate_size"])
    attention = 3 * layers * shape["batch"] * 4 * shape["tokens"] ** 2 * hidden
    vocab = scale.get("vocab_size", SETTINGS["vocab_size"])
    return 4 * body * tokens + attention + 4 * hidden * vocab * shape["batch"] * shape["loss_tokens"]


def measure(name: str, repeats: int, peak_gflops: float, bandwidth: float) -> dict:
    scale = SETTINGS["scales"][name]
    model = build(scale)
    hidden = scale["hidden_size"]
    head = model.lm_head.weight.numel()
    body = sum(value.numel() for value in model.parameters()) - head * (1 if model.config.tie_word_embeddings else 2)
    streamed_gb = (body + head) * 4 / 1e9
    row = {"scale": name, "parameters_millions": body / 1e6, "prefill_ms": prefill_seconds(model, repeats) * 1e3}
    for batch in SETTINGS["decode"]["batches"]:
        row[f"decode_{batch}_tokens_per_second"] = decode_tokens_per_second(model, batch, repeats)
    row["decode_1_of_bandwidth"] = row["decode_1_tokens_per_second"] * streamed_gb / bandwidth
    row["train_step_ms"] = train_step_seconds(model, repeats) * 1e3
    row["train_of_gemm_peak"] = train_flops(scale) / (row["train_step_ms"] / 1e3) / 1e9 / peak_gflops
    row["resident_mb"] = psutil.Process().memory_info().rss / 1e6
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--scales", default="S,M,L")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_default_device(options.device)
    name = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    found = {"torch": torch.__version__, "device": name, "threads": options.threads, "gemm_gflops": gemm_peak(options.repeats),
             "bandwidth_gb_per_second": memory_bandwidth(options.repeats), "scales": []}  # fmt: skip
    print(f"GEMM {found['gemm_gflops']:.1f} GFLOP/s, memory {found['bandwidth_gb_per_second']:.1f} GB/s, "
          f"{options.threads} thread(s)")  # fmt: skip
    for name in options.scales.split(","):
        row = measure(name, options.repeats, found["gemm_gflops"], found["bandwidth_gb_per_second"])
        found["scales"].append(row)
        if len(found["scales"]) == 1:
            print(" | ".join(row))
        print(" | ".join(value if isinstance(value, str) else f"{value:.3g}" for value in row.values()), flush=True)
    print(json.dumps(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
