"""Where images come from: folders, lists, tar shards, and the data sets of other packages. Nothing here loads torch.

FOLDER                            image files in a folder and below
LIST.txt, LIST.csv                image files that a list names
train-{000..010}.tar, *.tar       tar files, by the convention of WebDataset
hf:PATH[:SPLIT]                   a data set of Hugging Face
torchvision:NAME:ROOT[:SPLIT]     a data set of torchvision
"""

from pellucid.activations.sources.addresses import open_source as open_source
from pellucid.activations.sources.addresses import reopen as reopen
from pellucid.activations.sources.folder import find_images as find_images
from pellucid.activations.sources.source import Source as Source
