"""Detection on several machines, with Dask."""
