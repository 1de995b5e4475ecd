#!/usr/bin/env python3
"""Writes tests/golden/text/tokenizer.json: texts with the token numbers that transformers' CLIPTokenizer gives them.

    python tools/golden/tokenizer.py [--tokenizer DIR] [--out FILE]
    python tools/golden/tokenizer.py --random 10000 --seed 7 --out FILE   # for a differential run

Needs transformers and tokenizers (the versions are written into the file).
"""

import argparse
import json
import random
import unicodedata
from pathlib import Path

import tokenizers
import transformers
from transformers import CLIPTokenizer

WRITTEN = [
    "", " ", "a", "A", "!", "a cat", "A photo of an astronaut riding a horse on mars.",
    "masterpiece, best quality, ultra-detailed, 8k, (sunset:1.3), [fog], cinematic lighting",
    "dawn over snow peaks, pine trees and a spire, two moons, mist",
    "don't can't won't I'm you're they've he'd she'll it's", "DON'T I'M YOU'RE THEY'VE HE'D SHE'LL IT'S",
    "'s 't 're 've 'm 'll 'd", "'sword 'tis 'rest", "rock 'n' roll", "''s", "!'s", "x'sx'tx", "’s don’t “quoted”",
    "1", "12", "1234567890", "3.14159", "1,000,000", "1e-5", "v1.5", "4k 8K 16k", "2001: a space odyssey",
    "½ ⅓ ² ³ ① Ⅳ ⅻ ٣ ५ 三 〇 一二三", "１２３ ＡＢＣ ａｂｃ",
    "hello   world", "  leading and trailing  ", "tab\tnew\nline\r\nreturn\x0bvt\x0cff",
    "no\u00a0break\u2003em\u3000ideographic\u2028line\u2029para\u0085nel\u1680ogham\u202fnarrow\u205fmath",
    "zero\u200bwidth\u200cnon\u200djoiner\ufeffbom\u2060wj", "\x00nul\x01\x02\x1b[31mred\x7f", "\x1c\x1d\x1e\x1f",
    "café naïve résumé Ångström façade", "cafe\u0301 nai\u0308ve A\u030angstro\u0308m", "ÀÉÎÕÜ àéîõü ÇÑ çñ",
    "Ελληνικά ΣΊΣΥΦΟΣ ὈΔΥΣΣΕΎΣ", "Русский текст ЁЖИК", "עברית", "العربية", "हिन्दी देवनागरी", "ไทย", "தமிழ்", "ქართული",
    "中文提示词，山水画。", "日本語のプロンプト、富士山の夕焼け", "ひらがな カタカナ ﾊﾝｶｸ", "한국어 프롬프트", "\u1112\u1161\u11ab",
    "がぎぐ か\u3099き\u3099", "🙂", "👩‍👩‍👧‍👦 family", "👍🏽 thumbs", "🇫🇷🇯🇵 flags", "❤️ ☀︎ ☀️", "🏴\U000e0067\U000e0062\U000e007f", "🎨🖌️ painting",
    "İstanbul ı I i", "ŒUVRE Æsir straße STRASSE ẞ", "ǅ ǆ Ǆ", "ﬁ ﬂ ﬃ", "Ⅷ ⓐ Ⓐ", "ʼn ŉ", "𝐁𝐨𝐥𝐝 𝒮𝒸𝓇𝒾𝓅𝓉 𝔉𝔯𝔞𝔨𝔱𝔲𝔯",
    "a\u0300\u0301\u0302\u0303\u0304", "\u0301 alone", "q\u0323\u0307 q\u0307\u0323", "\u1e9b\u0323", "\u212b \u2126 \u212a",
    "x\u0345\u0315\u0334", "\u0f71\u0f72\u0f74", "\uac00\u11a8 \u1100\u1161", "\uac54\u11a7\u11ea", "\U00011935\U00011930",
    "\ufffd replacement", "\ue000 private \U0010ffff last", "\U0001f9ff\U0001fa70 \U0001fae0",
    "<|startoftext|>", "<|endoftext|>", "a<|endoftext|>b", "<|startoftext|>a cat<|endoftext|>", "<|ENDOFTEXT|>",
    "<|StartOfText|>x", "!<|endoftext|>", "<|endoftext|><|endoftext|>", "<|endoftext", "|>", "<|", "<|ENDOFTEXT|>!!!",
    "</w>", "a</w> b</w>", "Ġword", "Ċ", "\\(escaped\\) \\[brackets\\] \\\\", "((a)) [b] {c} <d>", "a|b a:b a;b a_b a-b a/b a\\b",
    "snake_case camelCase kebab-case", "#tag @user $5 %50 ^ & * ~ `", "...", "--- === *** !!! ???", "?!?!?! :-) ;-P <3",
    "http://example.com/path?query=1&x=%20", "name@example.com", "C++ C# .NET f(x)=x^2", "a+b=c; d<e>f",
    "supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "ththththththth ererererer ininininin", "zzzzqqqqxxxx", "the the the the", "of", "jekyll",
    "\ua7cb\ua7cc\ua7da\ua7dc \u1c89\u1c8a", "\U00010d50\U00010d65\U00010d70 \U00010d40", "\U00016ea0\U00016eb8",
    "\U000105c0\U000113d1\U00013460\U0002ebf0\U0002ee5d", "\U000116d0\U0001ccf0\U0001e5f1", "a\u0898\u0301 x\u1abf\u0323",
    "e\u1dfa\u0323 \U00010f46\u0301\u0323", "a\u0301\u1ac1\u0323", "ß ſ ẛ", "A\u030a\u0301", "\u0958 \u0915\u093c",
]

WORDS = ("a the of and with without under over castle mountain sea fog mist dawn dusk night portrait landscape matte "
         "painting concept art trending detailed intricate sharp focus volumetric light rays ruins forest "
         "desert mesa aurora nebula spaceship robot dragon knight queen watercolor gouache ink oil anime ghibli "
         "octane render unreal engine 35mm bokeh depth field hdr 4k uhd masterpiece best quality").split()
MARKS = [", ", " ", ". ", "; ", " - ", "'s ", "! ", " (", ") ", ":1.2) ", "\n", "  ", " | ", "/", "_", "\t"]


def random_text(rng):
    """One text, of a kind drawn at random: prompts, one script, any characters, marks, or runs of white space."""
    kind = rng.randrange(8)
    length = rng.choice((1, 2, 3, 5, 8, 13, 30, 80))
    if kind == 0:
        return "".join(rng.choice(WORDS) + rng.choice(MARKS) for _ in range(length))
    if kind == 1:
        return "".join(rng.choice((str.upper, str.title, str.lower))(rng.choice(WORDS)) + rng.choice(MARKS) for _ in range(length))
    if kind == 2:
        return "".join(chr(rng.randrange(0x20, 0x7F)) for _ in range(length))
    if kind == 3:
        start = rng.choice((0x80, 0x100, 0x370, 0x400, 0x590, 0x900, 0xE00, 0x1100, 0x1E00, 0x2000, 0x2460, 0x2600, 0x3040,
                            0x4E00, 0xAC00, 0xFB00, 0xFF00, 0x10D40, 0x16EA0, 0x1D400, 0x1F300, 0x1F900))
        return "".join(chr(start + rng.randrange(0x100)) + rng.choice(("", "", " ", "a", "\u0301")) for _ in range(length))
    if kind == 4:
        return "".join(any_character(rng) for _ in range(length))
    if kind == 5:
        return "".join(rng.choice(("a", "E", "\u0323", "\u0301", "\u0308", "\u0327", "\u0345", "ο", "Α", "\u3099", "か", "\u093c", "क",
                                   "\u1161", "\u1100", "\u11a8", "\uac00", "\u05b4", "\u05bc", "\u0898", "\u1abf")) for _ in range(length))
    if kind == 6:
        return "".join(rng.choice((" ", "\t", "\u00a0", "\u3000", "\u200b", "x", "1", "'", "'s", "'LL", "<|endoftext|>", "<|EndOfText|>",
                                   "<|startoftext|>", "<|", "|>", "!", "é", "İ", "Σ")) for _ in range(length))
    return unicodedata.normalize(rng.choice(("NFD", "NFKD", "NFC")), "".join(any_character(rng) for _ in range(length)))


def any_character(rng):
    while True:
        code = rng.randrange(rng.choice((0x80, 0x800, 0x3000, 0x10000, 0x20000, 0x110000)))
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, default=Path("models/starter/tokenizer"))
    parser.add_argument("--random", type=int, default=280, help="how many random texts follow the written ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("tests/golden/text/tokenizer.json"))
    arguments = parser.parse_args()

    tokenizer = CLIPTokenizer.from_pretrained(arguments.tokenizer)
    rng = random.Random(arguments.seed)
    long_texts = [", ".join(rng.choice(WORDS) for _ in range(400)), "x" * 3000, "🙂" * 300, "ab " * 1000]
    texts = WRITTEN + long_texts + [random_text(rng) for _ in range(arguments.random)]
    cases = []
    for text in texts:
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        cases.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids)})
    document = {
        "made_by": "tools/golden/tokenizer.py",
        "versions": {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__},
        "cases": cases,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    head = json.dumps({key: document[key] for key in ("made_by", "versions")})
    arguments.out.write_text(head[:-1] + ', "cases": [\n' + lines + "\n]}\n", encoding="ascii")
    print(f"{arguments.out}: {len(cases)} texts")


if __name__ == "__main__":
    main()
