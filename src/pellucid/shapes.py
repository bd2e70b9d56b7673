"""Shapes of the arrays that pass between the rooms, checked while the tests run.

`N` images, views or items, `C` channels or units, `H` and `W` a picture's height and width in pixels, `h` and `w` the
height and width of a layer's map, `K` classes.
"""

from jaxtyping import Float, Shaped
from torch import Tensor

Images = Float[Tensor, "N channels H W"]  # RGB in [0, 1] unless a network says otherwise
Views = Float[Tensor, "N channels seen_H seen_W"]  # pictures as the network sees them, moved and padded
Logits = Float[Tensor, "N K"]
Maps = Float[Tensor, "N C h w"]  # a layer's spatial activations
Vector = Float[Tensor, "C"]
Vectors = Float[Tensor, "N C"]
Values = Float[Tensor, "N"]  # one number for each item
Matrix = Float[Tensor, "C C"]
Affine = Float[Tensor, "N 3 3"]  # maps output to input coordinates, in pixels from the picture's centre
AnyTensor = Shaped[Tensor, "..."]
