"""A large job as shards: on one process, several, a Slurm array or Dask, with the same bytes out of all.

job      what a job is asked: do one shard, merge all; the jobs that a plan on disk may name
plan     inputs and settings -> shards, in plan.json
shard    one shard -> one file, whole or not there
run      what is missing is done by an engine; what failed is listed; results in order
merge    all shards -> the result
trial    a job that only computes, to try a cluster with
engines  where shards run
"""
