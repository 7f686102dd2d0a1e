"""Products of sparse and dense matrices in TensorFlow, on CPUs."""

from keras_video._compat import computes_on_cpu, traced_for_export


def takes_sparse_product() -> bool:
    """Whether `sparse_product` is what to take: it has no form for XLA, GPUs or other runtimes."""
    return computes_on_cpu() and not traced_for_export.get()


def sparse_entries(indices, values) -> tuple:
    """The entries of a sparse matrix as tensors, which graphs refer to instead of holding copies.

    Args:
        indices: int64 `(entries, 2)`, sorted by rows.
        values: float32 `(entries,)`.
    """
    import tensorflow as tf

    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(indices), tf.constant(values)


def sparse_product(entries: tuple, shape: tuple[int, int], dense):
    """A constant sparse matrix times a dense one, whose gradient is never dense either.

    Of TensorFlow's two kernels it takes the one for compressed rows, which needs a twentieth of the
    other's time (`tf.sparse.sparse_dense_matmul`).

    Args:
        entries: what `sparse_entries` returns.
        shape: of the matrix.
        dense: `(shape[1], columns)`; computed in float32.

    Returns:
        `(shape[0], columns)`, of the dtype of `dense`.
    """
    import tensorflow as tf

    indices, values = entries

    @tf.custom_gradient
    def product(dense):
        matrix = tf.raw_ops.SparseTensorToCSRSparseMatrix(
            indices=indices, values=values, dense_shape=tf.constant(shape, tf.int64)
        )

        def gradient(upstream):
            return tf.raw_ops.SparseMatrixMatMul(a=matrix, b=upstream, transpose_a=True)

        return tf.raw_ops.SparseMatrixMatMul(a=matrix, b=dense), gradient

    result = tf.cast(product(tf.cast(dense, tf.float32)), dense.dtype)
    return tf.ensure_shape(result, (shape[0], dense.shape[1]))
