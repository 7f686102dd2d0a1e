"""Video models for keras_video."""
