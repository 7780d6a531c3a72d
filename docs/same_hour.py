"""From a release to a trained network: heights in metres out of pictures, on a CPU, in a few minutes.

    python same_hour.py demo-blocks.zip

The release lies as RS3DBench folders and was split by spatial blocks. It is unpacked, its tiles are cut into pieces,
a tiny U-Net is trained on those of `train`, and the error on `test` is told in metres, beside that of always saying
the mean height of what was trained on. Then the same pieces are tested once more by networks that were trained on as
many drawn at random, as happens when tiles are cut up and dealt out: pieces next to the tested ones are among them.
`val` is left to you.

Needs numpy, Pillow, rasterio and torch. Nothing of it knows Demeter: copy it and go on from here.
"""

from __future__ import annotations

import argparse
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
"""Pixels of a tile's side that the network sees; what is finer is averaged."""
PIECE = 32
"""Pixels of a side of the pieces that it is cut into: what is trained on and tested."""


def shrunk(values, known, side):
    """Means of the known pixels below each of side x side pixels, and where there is any. values, known: (H, W)."""
    height, width = (length // side * side for length in values.shape)
    shape = (side, height // side, side, width // side)
    total = np.where(known, values, 0)[:height, :width].reshape(shape).sum((1, 3))
    count = known[:height, :width].reshape(shape).sum((1, 3))
    return total / np.maximum(count, 1), count > 0


def pieces_of(root, record):
    """Of a tile: pictures (3, PIECE, PIECE) from 0 to 1, heights (1, PIECE, PIECE) in metres, where they are known."""
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
    tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]
    corners = range(0, SIDE, PIECE)
    return [[whole[:, y : y + PIECE, x : x + PIECE] for whole in tensors] for y in corners for x in corners]


class Pieces(Dataset):
    """Pieces as they are, or each time turned and mirrored by chance."""

    def __init__(self, pieces, turned=False):
        self.pieces, self.turned = pieces, turned

    def __len__(self):
        return len(self.pieces)

    def __getitem__(self, number):
        piece = self.pieces[number]
        if not self.turned:
            return piece
        quarters, mirrored = torch.randint(4, ()).item(), torch.randint(2, ()).item()
        piece = [torch.rot90(array, quarters, (1, 2)) for array in piece]
        return [array.flip(2) for array in piece] if mirrored else piece

    def known_heights(self):
        return torch.cat([heights[known] for _picture, heights, known in self.pieces])


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


class Errors:
    """Of predictions on all known pixels, in metres."""

    def __init__(self):
        self.square = self.absolute = self.count = 0.0

    def add(self, predict, pieces):
        with torch.no_grad():
            for pictures, heights, known in DataLoader(pieces, batch_size=64):
                off = (predict(pictures) - heights)[known].double()
                self.square += float(off.square().sum())
                self.absolute += float(off.abs().sum())
                self.count += off.numel()

    @property
    def rmse(self):
        return (self.square / self.count) ** 0.5

    def __str__(self):
        return f"RMSE {self.rmse:6.1f} m   MAE {self.absolute / self.count:6.1f} m"


def trained(pieces, epochs, seed):
    """A function from pictures to metres."""
    torch.manual_seed(seed)
    heights = pieces.known_heights()
    mean, spread = heights.mean(), heights.std()
    network = UNet()
    loader = DataLoader(pieces, batch_size=32, shuffle=True)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, epochs=epochs, steps_per_epoch=len(loader))
    network.train()
    for _ in range(epochs):
        for pictures, wanted, known in loader:
            optimiser.zero_grad()
            loss = nn.functional.smooth_l1_loss(network(pictures)[known], ((wanted - mean) / spread)[known])
            loss.backward()
            optimiser.step()
            schedule.step()
    network.eval()
    return lambda pictures: network(pictures) * spread + mean


def compared(rounds, epochs, seed):
    """Errors of the mean height and of the network over all rounds. rounds: (pieces to train on, to test on) each."""
    of_mean, of_network = Errors(), Errors()
    for training, testing in rounds:
        seen, unseen = Pieces(training, turned=True), Pieces(testing)
        mean = seen.known_heights().mean()
        of_mean.add(lambda _pictures, mean=mean: mean, unseen)
        of_network.add(trained(seen, epochs, seed), unseen)
    return of_mean, of_network


def at_random(train, test, rounds, seed):
    """The pieces of `test` once more, in some rounds; trained on as many others as `train` has, wherever they lie."""
    draw = torch.Generator().manual_seed(seed)
    mixed = [test[number] for number in torch.randperm(len(test), generator=draw).tolist()]
    for number in range(rounds):
        others = train + [piece for place, piece in enumerate(mixed) if place % rounds != number]
        drawn = torch.randperm(len(others), generator=draw).tolist()
        yield [others[place] for place in drawn[: len(train)]], mixed[number::rounds]


def told(name, of_mean, of_network):
    print(name)
    print(f"  mean height of the training tiles   {of_mean}")
    print(f"  U-Net                               {of_network}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a release as RS3DBench folders, with splits")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2, help="in which the pieces are tested with a random split")
    parser.add_argument("--threads", type=int, default=1, help="more than idle cores make it slower")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(asked.archive) as archive:
            archive.extractall(folder)
        (manifest,) = Path(folder).glob("*/manifest.jsonl")
        with manifest.open(encoding="utf-8") as lines:
            tiles = [json.loads(line) for line in lines]
        train, test = (
            [piece for tile in tiles if tile["split"] == split for piece in pieces_of(manifest.parent, tile)]
            for split in ("train", "test")
        )
    if not (train and test):
        parser.error("the release has no tiles in train, or none in test")
    print(f"{len(train)} pieces of tiles to train on, {len(test)} to test")
    honest = compared([(train, test)], asked.epochs, asked.seed)
    told("As the release splits them", *honest)
    drawn = compared(at_random(train, test, asked.rounds, asked.seed), asked.epochs, asked.seed)
    told("The same pieces tested, but trained on others at random", *drawn)
    flattery = 100 * (1 - drawn[1].rmse / honest[1].rmse)
    print(f"A random split makes the RMSE look {flattery:.1f} % smaller than it is on ground that was never seen.")
    if flattery <= 0:
        print("So it does not flatter here: this ground is alike everywhere, or it is chance. Try other seeds.")


if __name__ == "__main__":
    main()
