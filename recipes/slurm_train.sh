#!/bin/bash
# One training on several machines of a Slurm cluster:
#   sbatch recipes/slurm_train.sh train generator --classifier runs/spotter --out runs/generator
# The same command goes on after a kill or at the time limit, on any number of machines.
#SBATCH --job-name=mondegreen-train
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=1
#SBATCH --signal=TERM@120

# Where there are GPUs: one task a GPU, and #SBATCH --gpus-per-node=4 above.
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
exec srun --kill-on-bad-exit=1 mondegreen "$@"
