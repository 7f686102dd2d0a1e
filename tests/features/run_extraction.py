"""Extracts features until it is killed: python run_extraction.py VIDEOS OUT"""

import sys
import time

from gray_model import GrayModel

from keras_video.features import FeatureExtractor, extract_features, step_plan
from keras_video.features.feature_folder import FeatureFolder

step_plan._SEGMENT_FRAMES = 64
save_segment = FeatureFolder.save_segment


def slowly(*arguments):
    save_segment(*arguments)
    time.sleep(0.1)


FeatureFolder.save_segment = slowly
extract_features(sys.argv[1], FeatureExtractor(GrayModel(), stride=1, workers=2), sys.argv[2])
