"""The miners by the names that the command line knows."""

from basket_analysis.mining import FastMiner, Miner, ReferenceMiner
from basket_analysis.spark_mining import SparkMiner

MINERS: dict[str, type[Miner]] = {miner.name: miner for miner in (FastMiner, ReferenceMiner, SparkMiner)}
