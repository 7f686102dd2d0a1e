"""Annotations of well-known data sets as lists of videos.

Each importer takes the files that the data set's authors publish and the folder where the videos
are, and gives an `ImportedVideos`: a `VideoList` of what is there, and the names of what is not.
"""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "ImportedVideos": "imported_videos",
        "import_hmdb51": "hmdb51",
        "import_kinetics": "kinetics",
        "import_something_something": "something_something",
        "import_ucf101": "ucf101",
    },
)
