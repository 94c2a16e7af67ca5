"""What torch and peft compute when a VLM is trained: adapter, value head, losses and their gradients, merged weights."""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlavaForConditionalGeneration

from parity_kit.checkpoints import Recipe
from parity_kit.expected_inference import forward, response_logprobs, response_rows
from parity_kit.record import Record

PROJECTIONS = r"(q_proj|k_proj|v_proj|qkv_proj|o_proj|gate_proj|up_proj|gate_up_proj|down_proj)"
PPO = {"clip_range": 0.2, "value_clip_range": 0.2, "value_coefficient": 0.5, "kl_coefficient": 0.1,
       "entropy_coefficient": 0.01}  # fmt: skip
FORMULAS = {
    "mean": "sum over response tokens with response_mask = 1 in the whole batch, divided by their number",
    "nll": "mean(-logprob)",
    "value": "0.5 * mean((v - returns)^2)",
    "policy": "mean(max(-advantages * ratio, -advantages * clip(ratio, 1 - clip_range, 1 + clip_range))), "
              "ratio = exp(logprob - old_logprob)",
    "value_clipped": "0.5 * mean(max((v - returns)^2, (old_v + clip(v - old_v, -value_clip_range, value_clip_range) "
                     "- returns)^2))",
    "kl": "mean(exp(d) - d - 1), d = reference_logprob - logprob",
    "entropy": "mean(-sum over the vocabulary of p * log p), p at temperature 1",
    "ppo": "policy + value_coefficient * value_clipped + kl_coefficient * kl - entropy_coefficient * entropy",
    "v": "value head on the last hidden state (after the final norm) one column before each response token: "
         "w2 tanh(w1 h + b1) + b2; gradients flow through h into the adapter",
}


class ValueHead(torch.nn.Module):
    """Linear(hidden, 16), tanh, Linear(16, 1)."""

    def __init__(self, hidden: int, seed: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = torch.nn.Linear(hidden, 16), torch.nn.Linear(16, 1)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.fc2(torch.tanh(self.fc1(hidden)))[..., 0]


def targets(recipe: Recipe) -> str:
    return rf".*{recipe.text_module}.*\.{PROJECTIONS}"


def attach_adapter(recipe: Recipe, model: LlavaForConditionalGeneration, folder: Path):
    """Puts a rank-4 adapter with random non-zero factors on the language model and saves it as peft does."""
    config = LoraConfig(
        r=4, lora_alpha=8, lora_dropout=0.0, bias="none", target_modules=targets(recipe), task_type="CAUSAL_LM"
    )
    model.name_or_path = ""
    adapted = get_peft_model(model, config)
    generator = torch.Generator().manual_seed(recipe.seed + 1)
    with torch.no_grad():
        for name, parameter in sorted(adapted.named_parameters()):
            if "lora_" in name:
                spread = 0.2 if "lora_A" in name else 0.1
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
    adapted.save_pretrained(folder / "adapter")
    (folder / "adapter/README.md").unlink(missing_ok=True)
    return adapted


def lora_factors(recipe: Recipe, adapted) -> dict[str, torch.nn.Parameter]:
    """The trainable factors by short name, such as layers.0.self_attn.q_proj.lora_A."""
    named = ((name, value) for name, value in adapted.named_parameters() if "lora_" in name)
    return {name.split(f"{recipe.text_module}.")[1].removesuffix(".default.weight"): value for name, value in named}


def record_training(record: Record, recipe: Recipe, model, batch: dict[str, torch.Tensor], folder: Path) -> None:
    """Everything that needs gradients. `model` carries the adapter from here on and is merged at the end."""
    mask = batch["response_mask"].float()
    generator = torch.Generator().manual_seed(recipe.seed + 2)

    def noise() -> torch.Tensor:
        return torch.randn(mask.shape, generator=generator) * mask

    with torch.no_grad():
        reference = response_logprobs(forward(model, batch).logits, batch)
    adapted = attach_adapter(recipe, model, folder)
    head = ValueHead(recipe.text.hidden_size, recipe.seed + 3)
    with torch.no_grad():
        outputs = forward(adapted, batch, output_hidden_states=True)
        logprobs = response_logprobs(outputs.logits, batch)
        values = head(response_rows(outputs.hidden_states[-1], batch)) * mask
    given = {
        "reference_logprobs": reference,
        "old_logprobs": (logprobs + 0.25 * noise()) * mask,
        "old_values": values + 0.3 * noise(),
        "advantages": noise(),
        "returns": values + noise(),
    }
    record.tensor("adapter.response_logits", response_rows(outputs.logits, batch))
    record.tensor("adapter.response_logprobs", logprobs)
    record.tensor("adapter.response_hidden", response_rows(outputs.hidden_states[-1], batch))
    record.tensor("adapter.values", values)
    for name, value in head.state_dict().items():
        record.tensor(f"value_head.{name}", value)
    for name, value in given.items():
        record.tensor(f"ppo.{name}", value)
    record.value("lora", {"r": 4, "alpha": 8, "dropout": 0.0, "scale": 2.0, "targets": targets(recipe)})
    record.value("ppo", PPO)
    record.value("formulas", FORMULAS)
    record.value("losses", record_gradients(record, recipe, adapted, head, batch, given))
    with torch.no_grad():
        merged = adapted.merge_and_unload()
        record.tensor("merged.response_logits", response_rows(forward(merged, batch).logits, batch))


def record_gradients(
    record: Record, recipe: Recipe, adapted, head: ValueHead, batch, given: dict[str, torch.Tensor]
) -> dict:
    """Gradients of the nll, value, policy and ppo losses for each factor; the loss values by name."""
    values = {}
    for target in ("nll", "value", "policy", "ppo"):
        adapted.zero_grad()
        head.zero_grad()
        losses = compute_losses(adapted, head, batch, given)
        losses[target].backward()
        values = {name: loss.item() for name, loss in losses.items()}
        for name, parameter in lora_factors(recipe, adapted).items():
            record.tensor(f"grad.{target}.{name}", parameter.grad)
        if target in ("value", "ppo"):
            for name, parameter in head.named_parameters():
                record.tensor(f"grad.{target}.value_head.{name}", parameter.grad)
    return values


def compute_losses(adapted, head: ValueHead, batch, given: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The losses as FORMULAS spells them out, and how many tokens each clip caught (a witness that clips nothing is no
    witness)."""
    mask = batch["response_mask"].float()

    def mean(per_token: torch.Tensor) -> torch.Tensor:
        return (per_token * mask).sum() / mask.sum()

    outputs = forward(adapted, batch, output_hidden_states=True)
    logprobs = response_logprobs(outputs.logits, batch)
    values = head(response_rows(outputs.hidden_states[-1], batch))
    ratio = torch.exp(logprobs - given["old_logprobs"])
    clipped_ratio = ratio.clamp(1 - PPO["clip_range"], 1 + PPO["clip_range"])
    advantages, returns, old_values = given["advantages"], given["returns"], given["old_values"]
    clipped_values = old_values + (values - old_values).clamp(-PPO["value_clip_range"], PPO["value_clip_range"])
    difference = given["reference_logprobs"] - logprobs
    all_logprobs = response_rows(outputs.logits, batch).log_softmax(-1)
    losses = {
        "nll": mean(-logprobs),
        "value": 0.5 * mean((values - returns) ** 2),
        "policy": mean(torch.maximum(-advantages * ratio, -advantages * clipped_ratio)),
        "value_clipped": 0.5 * mean(torch.maximum((values - returns) ** 2, (clipped_values - returns) ** 2)),
        "kl": mean(torch.exp(difference) - difference - 1),
        "entropy": mean(-(all_logprobs.exp() * all_logprobs).sum(-1)),
    }
    losses["ppo"] = (
        losses["policy"] + PPO["value_coefficient"] * losses["value_clipped"] + PPO["kl_coefficient"] * losses["kl"]
        - PPO["entropy_coefficient"] * losses["entropy"]
    )
    losses["clip_fraction"] = mean((ratio != clipped_ratio).float())
    return losses
