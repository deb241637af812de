"""The kernels: plain functions over the records of `records`, compiled or not with the same bits."""
