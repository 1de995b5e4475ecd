#include "cli/commands.h"

namespace maquette::cli {

namespace {

const Command kCommands[] = {
    {"generate", "make pictures from a prompt or a recipe",
     "maquette generate --model models/starter --prompt \"sunset, red mesas, ringed planet\" --count 4 --out "
     "out/\n"
     "maquette generate --model sd15.safetensors --prompt \"a lighthouse\" --dialect a1111 --sampler \"DPM++ "
     "2M\" "
     "--steps 25 --cfg 6\n"
     "maquette generate --model sd15.safetensors --prompt \"a lighthouse\" --init layout.png --mask sky.png "
     "--strength 0.8\n"
     "maquette generate --model sd15.safetensors --prompt \"a lighthouse\" --control "
     "canny:canny.safetensors:layout.png:0.8\n"
     "maquette generate --model models/starter --prompt \"alien rocks\" --tile xy --seam-limit 1.5 --upscale "
     "4x.safetensors\n"
     "maquette generate --recipe out/7.png --seed 8 --out out/",
     generate},
    {"recipe", "show the recipe that a picture carries", "maquette recipe out/mesas_42.png --json",
     recipe_show},
    {"model inspect", "tell what is in a checkpoint or an adapter",
     "maquette model inspect v1-5-pruned-emaonly.safetensors", model_inspect},
    {"upscale", "enlarge a picture with an upscaling network",
     "maquette upscale mesas_42.png --model 4x.safetensors --out mesas_42_x4.png", upscale},
    {"preprocess", "make a control picture (canny, lineart, scribble, invert)",
     "maquette preprocess canny layout.png --out layout_canny.png", preprocess},
    {"compare", "measure how much two pictures differ", "maquette compare a.png b.png", picture_compare},
    {"seam", "measure the seams of a texture", "maquette seam rock.png --tile xy --limit 1.5", picture_seam},
    {"mark", "sign a file with how it was made, and write that into its metadata",
     "maquette mark out/mesas_42.png --out delivery/mesas_42.png\n"
     "maquette mark comp.exr --out comp.exr --step imported --parent plate.png --step inpainted:sd15 --step "
     "painted",
     mark},
    {"verify", "tell what a file says about how it was made, and whether that holds",
     "maquette verify delivery/mesas_42.png --trust keys/root.pem", verify},
    {"keys create", "make a key and certificates that sign, for development",
     "MAQUETTE_KEY_PASSPHRASE=... maquette keys create --keys keys --organisation \"Studio\"", keys_create},
    {"keys show", "show the certificates that sign", "maquette keys show --keys keys", keys_show},
    {"keys import", "take in the studio's own certificates, with their key or a program that signs",
     "maquette keys import --chain chain.pem --key key.pem --keys keys\n"
     "maquette keys import --chain chain.pem --command \"openssl dgst -sha256 -sign key.pem\" --keys keys",
     keys_import},
    {"tune", "measure which kernels are the fastest here, and remember it",
     "maquette tune --model sd15.safetensors --width 512 --height 768\nmaquette tune --forget", tune},
    {"serve", "open the studio in the browser, for one person or for a team",
     "maquette serve --single-user\nmaquette serve --studio /srv/studio --host 0.0.0.0 --allow-host "
     "studio.example",
     serve},
    {"job run", "make the pictures that wait in the queue, without a server",
     "maquette job run --studio studio", job_run},
    {"show move", "move a show's folder, to another disk for instance",
     "maquette show move lanterns /mnt/raid/lanterns", show_move},
    {"restore", "bring back a backup: a whole studio into an empty place, or a show beside others",
     "maquette restore studio/backups/before-delivery --studio restored\n"
     "maquette restore lanterns-final --dry-run",
     restore},
    {"take import", "file pictures, or folders of them, as takes",
     "maquette take import lanterns/sq010/sh020:background paintover.png --origin edited --parent "
     "lanterns/sq010/sh020:background/v001/t02\n"
     "maquette take import lanterns/sq010/sh020:background from_stable_diffusion/\n"
     "maquette take import --by-name lanterns incoming/ --dry-run",
     take_import},
    {"take replay", "paint a take again from its record, and compare the two",
     "maquette take replay lanterns/sq010/sh020:background/v001/t02 --out again.png", take_replay},
    {"watermark add", "write an invisible watermark into a picture",
     "maquette watermark add mesas_42.png --out mesas_42_marked.png\n"
     "maquette watermark add mesas_42.png --text \"LANTERNS sq010\" --out mesas_42_marked.png",
     watermark_add},
    {"watermark read",
     "look for invisible watermarks: ours, Stable Diffusion's, FLUX.2's, or any of a length",
     "maquette watermark read mesas_42_marked.png\nmaquette watermark read mesas_42_marked.png --bytes 14 "
     "--json",
     watermark_read},
    {"audit diversity", "measure how many really different pictures a set holds",
     "maquette audit diversity out/", audit_diversity},
    {"audit drift", "find the pictures of a sequence that leave its palette, and steady changes of colour",
     "maquette audit drift deliveries/sq010/*.png", audit_drift},
    {"audit memorised", "warn where a model may know the picture of a prompt by heart",
     "maquette audit memorised --model models/starter --prompt \"a lighthouse at dusk\"\n"
     "maquette audit memorised --recipe out/7.png --seeds 8 --json",
     audit_memorised},
    {"log verify", "check a tamper-evident log, or the proof of one entry, with nothing but the files",
     "maquette log verify delivery/log --key \"$(cat lanterns.vkey)\" --older checkpoint-of-may\n"
     "maquette log verify --proof sea.tlog-proof --entry sea.entry --key \"$(cat lanterns.vkey)\"",
     log_verify},
    {"log prove", "write the proof that one entry is in a log, for somebody who does not have the log",
     "maquette log prove lanterns/log 137 --key \"$(cat lanterns.vkey)\" --out sea.tlog-proof", log_prove},
    {"worker", "make pictures for another program (the studio starts it), asked in lines of JSON",
     "echo '{\"quit\": true}' | maquette worker", worker},
    {"samplers", "list the samplers and schedules", "maquette samplers", list_samplers},
    {"tokens", "show how a prompt is split and weighted",
     "maquette tokens \"a (red:1.3) rock\" --dialect a1111", prompt_tokens},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace maquette::cli
