"""dbplan: a design review for databases that runs. The face: the verbs, nothing else."""
