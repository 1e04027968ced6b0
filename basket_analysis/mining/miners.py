"""The miners by the names that the command line knows."""

from basket_analysis.mining.itemsets import FastMiner, Miner, ReferenceMiner
from basket_analysis.mining.spark import SparkMiner

MINERS: dict[str, type[Miner]] = {miner.name: miner for miner in (FastMiner, ReferenceMiner, SparkMiner)}
