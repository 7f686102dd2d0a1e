"""ResNet over the frames of a clip, with or without temporal shift."""
