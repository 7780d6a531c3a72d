"""From a release to a trained network: heights in metres out of pictures, on a CPU, in a few minutes.

    python same_hour.py demo-blocks.zip

The release lies as RS3DBench folders and was split by spatial blocks. It is unpacked, a tiny U-Net is trained on its
`train` tiles, the weights that do best on `val` are kept, and the error on `test` is told in metres, beside that of
always saying the mean height of the training tiles. Then all is done once more with the same tiles dealt out at random,
as many to each split: neighbours of the tested tiles are trained on, and the error looks smaller than it is.

Needs numpy, Pillow, rasterio and torch. Nothing of it knows Demeter: copy it and go on from here.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import rasterio
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

SIDE = 128
"""Pixels of a tile's side that the network sees."""
SPLITS = ("train", "val", "test")


def shrunk(values, known, side):
    """Means of the known pixels below each of side x side pixels, and where there is any. values, known: (H, W)."""
    height, width = (length // side * side for length in values.shape)
    shape = (side, height // side, side, width // side)
    total = np.where(known, values, 0)[:height, :width].reshape(shape).sum((1, 3))
    count = known[:height, :width].reshape(shape).sum((1, 3))
    return total / np.maximum(count, 1), count > 0


class Tiles(Dataset):
    """Pictures (3, SIDE, SIDE) from 0 to 1, heights (1, SIDE, SIDE) in metres, and where these are known."""

    def __init__(self, root, records, turned=False):
        self.turned = turned
        self.tiles = [self.read(root, record) for record in records]

    def read(self, root, record):
        paths = {file["role"]: root / file["path"] for file in record["files"]}
        with Image.open(paths["png"]) as image:
            picture = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) / 255
        with rasterio.open(paths["dem"]) as dem:
            band = dem.read(1, masked=True)
        known = ~np.ma.getmaskarray(band)
        if "void" in paths:
            with Image.open(paths["void"]) as void:
                known &= np.asarray(void) == 0
        heights, known = shrunk(band.filled(0).astype(np.float64), known, SIDE)
        arrays = (picture.transpose(2, 0, 1), heights[None].astype(np.float32), known[None])
        return [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]

    def __len__(self):
        return len(self.tiles)

    def __getitem__(self, number):
        tile = self.tiles[number]
        if not self.turned:
            return tile
        quarters, mirrored = torch.randint(4, ()).item(), torch.randint(2, ()).item()
        tile = [torch.rot90(array, quarters, (1, 2)) for array in tile]
        return [array.flip(2) for array in tile] if mirrored else tile

    def known_heights(self):
        return torch.cat([heights[known] for _picture, heights, known in self.tiles])


def convolutions(inward, outward):
    layers = []
    for channels in (inward, outward):
        layers += [nn.Conv2d(channels, outward, 3, padding=1), nn.GroupNorm(4, outward), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Down to an eighth and up again, with the finer features joined in on the way."""

    def __init__(self, widths=(8, 16, 32, 64)):
        super().__init__()
        pairs = list(pairwise(widths))
        self.first = convolutions(3, widths[0])
        self.down = nn.ModuleList(convolutions(fine, coarse) for fine, coarse in pairs)
        self.up = nn.ModuleList(convolutions(fine + coarse, fine) for fine, coarse in reversed(pairs))
        self.last = nn.Conv2d(widths[0], 1, 1)

    def forward(self, pictures):
        features = [self.first(pictures)]
        for step in self.down:
            features.append(step(nn.functional.max_pool2d(features[-1], 2)))
        found = features.pop()
        for step in self.up:
            wider = nn.functional.interpolate(found, scale_factor=2, mode="bilinear", align_corners=False)
            found = step(torch.cat([features.pop(), wider], 1))
        return self.last(found)


def errors(predict, tiles):
    """Root mean square and mean absolute error in metres over all known pixels."""
    square = absolute = count = 0.0
    with torch.no_grad():
        for pictures, heights, known in DataLoader(tiles, batch_size=8):
            off = (predict(pictures) - heights)[known].double()
            square, absolute, count = square + off.square().sum(), absolute + off.abs().sum(), count + off.numel()
    return float((square / count) ** 0.5), float(absolute / count)


def trained(tiles, epochs, seed):
    """A function from pictures to metres; of all epochs' weights those that do best on `val`."""
    torch.manual_seed(seed)
    heights = tiles["train"].known_heights()
    mean, spread = heights.mean(), heights.std()
    network = UNet()
    loader = DataLoader(tiles["train"], batch_size=8, shuffle=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, epochs=epochs, steps_per_epoch=len(loader))
    best, kept = float("inf"), None

    def predict(pictures):
        return network(pictures) * spread + mean

    for _ in range(epochs):
        network.train()
        for pictures, wanted, known in loader:
            optimiser.zero_grad()
            loss = nn.functional.smooth_l1_loss(network(pictures)[known], ((wanted - mean) / spread)[known])
            loss.backward()
            optimiser.step()
            schedule.step()
        network.eval()
        error, _ = errors(predict, tiles["val"])
        if error < best:
            best, kept = error, copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)
    return predict


def compared(root, records, epochs, seed):
    """Of one way to split: errors of the mean height, and of the network. records: by split."""
    tiles = {split: Tiles(root, records[split], turned=split == "train") for split in SPLITS}
    mean = tiles["train"].known_heights().mean()
    return errors(lambda _pictures: mean, tiles["test"]), errors(trained(tiles, epochs, seed), tiles["test"])


def dealt(records, seed):
    """The same tiles at random, as many to each split as there were."""
    deck = [record for split in SPLITS for record in records[split]]
    order = iter(torch.randperm(len(deck), generator=torch.Generator().manual_seed(seed)).tolist())
    return {split: [deck[next(order)] for _ in records[split]] for split in SPLITS}


def told(name, mean, network):
    print(f"{name}")
    print(f"  mean height of the training tiles   RMSE {mean[0]:6.1f} m   MAE {mean[1]:6.1f} m")
    print(f"  U-Net                               RMSE {network[0]:6.1f} m   MAE {network[1]:6.1f} m")
    print(f"  the U-Net's RMSE is {100 * network[0] / mean[0]:.1f} % of the mean height's", flush=True)
    return network[0] / mean[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a release as RS3DBench folders, with splits")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1, help="more than idle cores make it slower")
    parser.add_argument("--draws", type=int, default=2, help="random splits to compare with")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(asked.archive) as archive:
            archive.extractall(folder)
        (manifest,) = Path(folder).glob("*/manifest.jsonl")
        lines = [json.loads(line) for line in manifest.open(encoding="utf-8")]
        records = {split: [line for line in lines if line["split"] == split] for split in SPLITS}
        if not all(records.values()):
            parser.error("a release with tiles in train, val and test is needed")
        print(", ".join(f"{len(records[split])} tiles {split}" for split in SPLITS))
        honest = told("As the release splits them", *compared(manifest.parent, records, asked.epochs, asked.seed))
        drawn = []
        for draw in range(1, asked.draws + 1):
            dealing = dealt(records, asked.seed + draw)
            drawn.append(told(f"At random, {draw}", *compared(manifest.parent, dealing, asked.epochs, asked.seed)))
    flattery = 100 * (1 - sum(drawn) / len(drawn) / honest)
    print(f"A random split makes the error look {flattery:.1f} % smaller, as a share of the mean height's.")


if __name__ == "__main__":
    main()
