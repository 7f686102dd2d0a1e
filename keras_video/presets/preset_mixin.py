"""`PresetMixin`: `from_preset`, `save_to_preset` and friends for a model class."""

import os


class _ClassProperty:
    """A read-only property of the class itself."""

    def __init__(self, function):
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance, owner):
        return self._function(owner)


class PresetMixin:
    """Gives a Keras model class presets: names, loading, saving, publishing.

    Put it before `keras.Model` among the base classes, register the class with
    `@keras.saving.register_keras_serializable(package=...)`, and give it an explicit
    `get_config`.

    Attributes:
        head_layers: names of the layers whose shapes depend on `num_classes`.
        checkpoint_maps: `{format: function}`; the function takes a model and returns
            `{variable path: (tensor name, layout)}` for checkpoints of that format.
        resized_weights: `{variable path: function}` of the weights whose shape depends on the size
            of the input; the function takes an array of another size and the shape wanted, and
            returns the array in it, or `None` where it can't.
    """

    head_layers: tuple[str, ...] = ()
    checkpoint_maps: dict = {}
    resized_weights: dict = {}

    @_ClassProperty
    def presets(cls) -> list[str]:
        """Names of the presets of this class and its subclasses."""
        from keras_video.presets.registry import list_presets

        return list_presets(model=cls)

    @classmethod
    def from_preset(
        cls,
        preset: str | os.PathLike,
        *,
        load_weights: bool = True,
        revision: str | None = None,
        token: str | bool | None = None,
        endpoint: str | None = None,
        cache_dir: str | os.PathLike | None = None,
        local_files_only: bool = False,
        **overrides,
    ):
        """Loads a model with its weights, preprocessor and labels.

        Args:
            preset: a preset's directory, `"hf://org/name"`, `"hf://org/name@revision"`, or a
                registered name (`keras_video.list_presets()`), tried in this order.
            load_weights: `False` builds the model with fresh weights and downloads none.
            revision: commit, tag or branch of the Hub repository.
            token: Hub token, for private and gated repositories; `None` uses the one that
                `hf auth login` stored.
            endpoint: address of the Hub; `None` uses the public one (`HF_ENDPOINT`).
            cache_dir: where downloads are kept; `None` uses the Hub client's cache.
            local_files_only: never use the network, as with `HF_HUB_OFFLINE=1`.
            **overrides: arguments of the model class that replace the preset's. Another
                `num_classes` gives a fresh head and no labels; `num_frames` and `image_size`
                reach the preprocessor too.

        Returns:
            A model of this class, or of a subclass that the preset names.

        Raises:
            PresetError: if the preset is unknown, unreachable, damaged or of another class, or an
                override isn't an argument of the model.

        Example:

        >>> model = keras_video.models.PPTSM.from_preset("pp_tsm_k400")
        >>> model = keras_video.models.TSM.from_preset("hf://me/my_tsm@v1", num_classes=10)
        """
        from keras_video.presets.loading import load_preset

        return load_preset(
            preset,
            model_class=cls,
            load_weights=load_weights,
            revision=revision,
            token=token,
            endpoint=endpoint,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
            **overrides,
        )

    def save_to_preset(
        self,
        path: str | os.PathLike,
        keras_core: bool = False,
        weights_dtype: str | None = None,
        metadata: dict | None = None,
    ) -> None:
        """Saves the model, its preprocessor and its labels; see `presets.save_preset`."""
        from keras_video.presets.saving import save_preset

        save_preset(
            self, path, keras_core=keras_core, weights_dtype=weights_dtype, metadata=metadata
        )

    def upload_preset(self, uri: str, path: str | os.PathLike | None = None, **options) -> str:
        """Publishes the model on the Hub; see `presets.upload_preset`.

        Args:
            uri: `"hf://org/name"`.
            path: directory to save the preset to on the way; `None` keeps no copy.
            **options: of `presets.upload_preset`.

        Returns:
            The address of the commit.
        """
        from keras_video.presets.uploading import upload_preset

        if path is None:
            return upload_preset(uri, self, **options)
        saving = {
            name: options.pop(name) for name in ("keras_core", "weights_dtype") if name in options
        }
        self.save_to_preset(path, **saving)
        return upload_preset(uri, path, **options)
