// Kinds of models that people have and that are not computed here: by their names in config.json one sentence, and the
// nearest folder that works. registry.ts asks it when no architecture has the name; docs/models.md shows the sentences.
export interface KnownModel {
  /** The names in `architectures` and `model_type` of config.json. */
  readonly names: RegExp
  /** What it is and what of it is not computed, in one sentence. */
  readonly why: string
  /** The nearest folder of the hub that works, or null where only the remedy of all serves. */
  readonly instead: string | null
}

const llava = 'llava-hf/llava-1.5-7b-hf'
const smallLlava = 'llava-hf/llava-interleave-qwen-0.5b-hf'

/** The first row that has the name counts. */
export const knownModels: readonly KnownModel[] = [
  {
    names: /^(Llava(Llama|Mistral|Mpt|Qwen|Gemma|Phi)\w*ForCausalLM|llava_(llama|mistral|mpt|qwen|gemma|phi)\w*)$/,
    why: 'This is a LLaVA model in the form of its authors’ own program; FiSAO Studio opens the form of Hugging Face.',
    instead: `the conversion of the same model, whose name ends in -hf, such as ${llava}`,
  },
  {
    names: /^(LlavaNextVideo|llava_next_video|VideoLlava|video_llava)/,
    why: 'This is a LLaVA model for films, which FiSAO Studio does not compute.',
    instead: llava,
  },
  {
    names: /^(Idefics2?For|idefics2?$)/,
    why: 'Idefics reads images through a perceiver, which FiSAO Studio does not compute.',
    instead: llava,
  },
  {
    names: /^(PaliGemma|paligemma)/,
    why: 'PaliGemma lets its prompt look ahead, which FiSAO Studio does not compute.',
    instead: smallLlava,
  },
  {
    names: /^(Gemma3|gemma3|Gemma4|gemma4)/,
    why: 'Gemma sees images both ways and turns positions by two speeds, which FiSAO Studio does not compute.',
    instead: smallLlava,
  },
  {
    names: /^(Qwen\d(_\d)?_?(VL|Omni)|qwen\d(_\d)?_(vl|omni))/,
    why: 'Qwen-VL places images in three dimensions of positions, which FiSAO Studio does not compute.',
    instead: smallLlava,
  },
  {
    names: /^(InternVL|internvl|InternLMXComposer|internlmxcomposer)/,
    why: 'InternVL cuts images into tiles for an encoder of its own, which FiSAO Studio does not compute.',
    instead: smallLlava,
  },
  {
    names: /^(Mllama|mllama)/,
    why: 'Llama 3.2 Vision reads images by attention across layers, which FiSAO Studio does not compute.',
    instead: 'xtuner/llava-llama-3-8b-v1_1-transformers',
  },
  {
    names: /^(Llama4|llama4)/,
    why: 'Llama 4 is a mixture of experts, which FiSAO Studio does not compute.',
    instead: 'xtuner/llava-llama-3-8b-v1_1-transformers',
  },
  {
    names: /^(Phi3V|phi3_v|Phi4MM|phi4mm|Phi4Multimodal|phi4_multimodal)/,
    why: 'Phi Vision cuts images into tiles of its own, which FiSAO Studio does not compute.',
    instead: smallLlava,
  },
  {
    names: /^(Florence2|florence2|DaViT|davit)/,
    why: 'Florence-2 is an encoder and a decoder with a tower of its own, which FiSAO Studio does not compute.',
    instead: smallLlava,
  },
  {
    names: /^(InstructBlip|instructblip|Blip2?For|Blip2Model|blip(-2|_2)?$)/,
    why: 'BLIP reads images through a transformer of queries, which FiSAO Studio does not compute.',
    instead: llava,
  },
  {
    names: /^(MiniCPMV|minicpmv|MiniCPMO|minicpmo)/,
    why: 'MiniCPM-V cuts images into tiles and resamples them, which FiSAO Studio does not compute.',
    instead: smallLlava,
  },
  {
    names: /^(Molmo|molmo)/,
    why: 'Molmo pools overlapping crops of an image, which FiSAO Studio does not compute.',
    instead: llava,
  },
  {
    names: /^(Hf)?[Mm]oondream/,
    why: 'Moondream has a tower and a Phi decoder of its own, which FiSAO Studio does not compute.',
    instead: smallLlava,
  },
  {
    names: /^(DeepseekVL|DeepseekV2VL|deepseek_vl|MultiModality|multi_modality|Janus|janus)/,
    why: 'DeepSeek-VL and Janus have a decoder of experts or a tower of two parts, which FiSAO Studio does not compute.',
    instead: llava,
  },
  {
    names: /^(Mistral3|mistral3|Pixtral|pixtral)/,
    why: 'Pixtral sees images of any shape through a tower of its own, which FiSAO Studio does not compute.',
    instead: llava,
  },
  {
    names:
      /^(Kosmos|kosmos|AyaVision|aya_vision|GLM4V|Glm4v|glm4v|Ovis|ovis|GOT|GotOcr2|got_ocr2|CogVLM|cogvlm|Fuyu|fuyu|Chameleon|chameleon|Emu3|emu3|Git(For|Model)|git$|Nvlm|NVLM|mplug|MPlug|Otter|otter|Yi-?VL)/,
    why: 'This vision-language model is of a kind that FiSAO Studio does not compute.',
    instead: llava,
  },
  {
    names: /^(VisionEncoderDecoder|vision-encoder-decoder|Pix2Struct|pix2struct|Nougat|nougat|Donut|donut|TrOCR)/,
    why: 'This model writes down what an image says, by an encoder and a decoder, and answers no questions.',
    instead: smallLlava,
  },
  {
    names:
      /^(CLIP|Siglip2?|ChineseCLIP|AltCLIP|Align)(Vision|Text)?Model(WithProjection)?$|^(clip|siglip2?|chinese_clip|altclip|align)(_vision_model|_text_model)?$/,
    why: 'This is an image encoder, which judges words but says none.',
    instead: null,
  },
  {
    names:
      /^(ViT|Dinov2|DINOv3|Dinov2WithRegisters|Swin|ConvNext|BEiT|Beit|Deit)|^(vit|dinov2|dinov3_vit|swin|convnext|beit|deit)$/,
    why: 'This is an image encoder, which says no words.',
    instead: null,
  },
  {
    names: /(ForCausalLM)$|^(llama|mistral|mixtral|qwen2|qwen3|gemma2?|phi3?|gpt2|gpt_neox|opt|falcon|bloom|smollm3)$/,
    why: 'This is a language model, which sees no images.',
    instead: null,
  },
  {
    names: /^(T5|Bart|Bert|Roberta|XLMRoberta|MPNet|Whisper)|^(t5|bart|bert|roberta|xlm-roberta|mpnet|whisper)$/,
    why: 'This is a model of text or speech, which sees no images.',
    instead: null,
  },
]
