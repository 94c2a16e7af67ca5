"""torch's AdamW with gradient clipping, transformers' learning-rate schedules, and RoPE tables, as numbers."""

from pathlib import Path

import torch
from transformers import LlamaConfig, get_scheduler
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from parity_kit.record import Record

ADAMW = {"lr": 1e-2, "betas": [0.9, 0.95], "eps": 1e-8, "weight_decay": 0.1, "max_grad_norm": 1.0, "steps": 5}
ROPES = {
    "default": {"rope_type": "default", "rope_theta": 10000.0},
    "linear": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.5},
    "dynamic": {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0},
    "llama3": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 32},
    "longrope": {"rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 24,
                 "short_factor": [1.0, 1.05, 1.3, 1.7, 2.9, 4.1], "long_factor": [1.0, 1.5, 3.0, 6.0, 12.0, 24.0]},
}  # fmt: skip


def make_optimizer(fixtures: Path) -> None:
    """adamw.*: two factors, their gradients at each step, the norm before clipping, and the values after each step."""
    folder, record = fixtures / "optimizer", Record()
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(17)
    factors = [torch.nn.Parameter(torch.randn(shape, generator=generator) * 0.1) for shape in ((4, 12), (9, 4))]
    names = ("lora_A", "lora_B")
    for name, factor in zip(names, factors):
        record.tensor(f"adamw.{name}.0", factor)
    optimizer = torch.optim.AdamW(
        factors, lr=ADAMW["lr"], betas=tuple(ADAMW["betas"]), eps=ADAMW["eps"], weight_decay=ADAMW["weight_decay"],
        foreach=False,
    )
    norms = []
    for step in range(1, ADAMW["steps"] + 1):
        for name, factor in zip(names, factors):
            # The second step's norm is below the limit, so that clipping is also seen to leave gradients alone.
            factor.grad = torch.randn(factor.shape, generator=generator) * (0.05 if step == 2 else 0.4)
            record.tensor(f"adamw.{name}.grad.{step}", factor.grad)
        norms.append(float(torch.nn.utils.clip_grad_norm_(factors, ADAMW["max_grad_norm"])))
        optimizer.step()
        for name, factor in zip(names, factors):
            record.tensor(f"adamw.{name}.{step}", factor)
    for name, factor in zip(names, factors):
        record.tensor(f"adamw.{name}.exp_avg", optimizer.state[factor]["exp_avg"])
        record.tensor(f"adamw.{name}.exp_avg_sq", optimizer.state[factor]["exp_avg_sq"])
    record.value("adamw", {**ADAMW, "grad_norms_before_clipping": norms})
    record.value("schedules", schedules())
    record.write(folder)


def schedules() -> list[dict]:
    """Learning rates used by steps 0, 1, 2, ... for 4 warm-up steps of 16, base rate 3e-4."""
    rows = []
    for name in ("constant_with_warmup", "cosine", "constant"):
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=3e-4)
        scheduler = get_scheduler(name, optimizer, num_warmup_steps=4, num_training_steps=16)
        rates = []
        for _ in range(18):
            rates.append(scheduler.get_last_lr()[0])
            optimizer.step()
            scheduler.step()
        rows.append({"name": name, "base_lr": 3e-4, "warmup_steps": 4, "total_steps": 16, "lr": rates})
    return rows


@torch.no_grad()
def make_rope(fixtures: Path) -> None:
    """<type>.<length>.{inv_freq, cos, sin}: head_dim 12, max_position_embeddings 32, lengths 24 and 80 (dynamic
    scaling starts beyond 32, the long factors of longrope beyond 24). cos and sin [length, 12] repeat their halves, as rotate_half wants."""
    folder, record = fixtures / "rope", Record()
    folder.mkdir(parents=True, exist_ok=True)
    for name, parameters in ROPES.items():
        for length in (24, 80):
            config = LlamaConfig(
                hidden_size=48, num_attention_heads=4, max_position_embeddings=32, rope_parameters=dict(parameters)
            )
            rotary = LlamaRotaryEmbedding(config)
            cos, sin = rotary(torch.zeros(1, length, 48), torch.arange(length)[None])
            record.tensor(f"{name}.{length}.inv_freq", rotary.inv_freq)
            record.tensor(f"{name}.{length}.cos", cos[0])
            record.tensor(f"{name}.{length}.sin", sin[0])
    record.value("rope_parameters", ROPES)
    record.value("head_dim", 12)
    record.value("max_position_embeddings", 32)
    record.write(folder)
