"""`STAGES`: the depths of a ResNet."""

# Depth -> blocks in each of the four stages (He et al., table 1).
STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
