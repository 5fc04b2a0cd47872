"""One benchmark on every kind of machine of a cluster: a file says which, Slurm finds nodes, records say how far it came."""
