#!/bin/bash
# A comparison or a reproduction, shared among the tasks of a Slurm array:
#   what="compare --generator runs/generator --recipe pareto --out runs/pareto"
#   share=$(sbatch --parsable --array=0-15 recipes/slurm_share.sh $what)
#   sbatch --dependency=afterany:"$share" recipes/slurm_share.sh --gather $what
# --out has to lie on a disk that all machines see. Each task takes what no other is at. The second
# job does what is missing, because a machine failed, and writes the results.
#SBATCH --job-name=mondegreen-share
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2

export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
if [ "$1" = "--gather" ]; then
  shift
  exec mondegreen "$@"
fi
exec mondegreen "$@" --share
