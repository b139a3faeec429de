"""What runs a notebook's cell on a cluster, from inside its kernel. It lives in the kernel's memory only."""
