"""The published ActionLocalizers."""

from keras_video.applications.application_preset import ApplicationPreset
from keras_video.models.published import project_license_note

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
        license_note=project_license_note("PaddleVideo"),
        task="temporal-action-localization",
        dataset="football matches of EuroCup 2016",
        weights_note="Nobody has published any that keras_video can load: the original ones are "
        "graphs for inference, and the network that hears was never published as code.",
        limits=(
            "The name loads nothing until somebody publishes the application. "
            "`keras-video localize train` trains one on actions of your own.",
        ),
    ),
]
