"""The report of ``mondegreen reproduce``: the paper's experiments, *reported* beside *measured*."""
