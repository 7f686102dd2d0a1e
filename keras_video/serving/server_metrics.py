"""`ServerMetrics`: what a server tells Prometheus."""

import prometheus_client as prometheus

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_VIEWS = (1, 2, 4, 8, 16, 32, 64, 128)


class ServerMetrics:
    """Counters and histograms, in a registry of their own.

    Attributes:
        requests: by path and status.
        in_flight: requests that are being answered.
        rejected: by the code of the error.
        stages: seconds of decoding, waiting and computing of each request.
        batch_views: views of each batch.
        batch_seconds: that each batch took.
        worker_restarts: decoding processes that were lost or stopped.
    """

    def __init__(self):
        self._registry = prometheus.CollectorRegistry()
        options = {"registry": self._registry, "namespace": "keras_video"}
        self.requests = prometheus.Counter(
            "requests", "Requests answered", ("path", "code"), **options
        )
        self.in_flight = prometheus.Gauge("requests_in_flight", "Requests now", **options)
        self.rejected = prometheus.Counter(
            "rejected", "Requests without a result, by reason", ("reason",), **options
        )
        self.stages = {
            stage: prometheus.Histogram(f"{stage}_seconds", text, buckets=_SECONDS, **options)
            for stage, text in (
                ("decode", "Decoding of a request's video"),
                ("queue", "Waiting of a request"),
                ("network", "Computing of a request's views"),
                ("total", "A request from its start to its answer"),
            )
        }
        self.batch_views = prometheus.Histogram(
            "batch_views", "Views of a batch", buckets=_VIEWS, **options
        )
        self.batch_seconds = prometheus.Histogram(
            "batch_seconds", "Computing of a batch", buckets=_SECONDS, **options
        )
        self.worker_restarts = prometheus.Counter(
            "worker_restarts", "Decoding processes that were lost or stopped", **options
        )

    def note_batch(self, views: int, seconds: float) -> None:
        """Counts a batch."""
        self.batch_views.observe(views)
        self.batch_seconds.observe(seconds)

    def note_timings(self, timings: dict[str, float]) -> None:
        """Counts the stages of an answered request."""
        for stage, seconds in timings.items():
            self.stages[stage].observe(seconds)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return prometheus.generate_latest(self._registry)
