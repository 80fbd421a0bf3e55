"""Where shards run.

protocol   what is asked of an engine, and how often a shard is tried
serial     in this process
processes  in processes of this machine
slurm      as an array of Slurm tasks
dask       on the workers of a Dask scheduler
named      the engine that an option names
"""
