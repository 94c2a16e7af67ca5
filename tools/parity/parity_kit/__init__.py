"""Witnesses for the engine: tiny Hugging Face checkpoints, and what transformers and peft compute from them."""
