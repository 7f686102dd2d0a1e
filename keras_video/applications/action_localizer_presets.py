"""The published ActionLocalizers."""

from keras_video.applications.application_preset import ApplicationPreset

APPLICATIONS = [
    ApplicationPreset(
        name="football_action",
        application="ActionLocalizer",
        # The archives of PaddleVideo's FootballAction are graphs for inference, and the network
        # that hears was never published as code, so there is nothing to load models from one by
        # one: the Hub has the application, or nobody.
        parts={},
        settings={},
        description="Seven kinds of events in football matches (PaddleVideo's FootballAction).",
        license="apache-2.0",
    ),
]
