"""All that is broken under load, one after another."""

from tests.faults import database_faults, instance_faults, network_faults, redis_faults

FAULTS = (*database_faults.FAULTS, *redis_faults.FAULTS, *instance_faults.FAULTS, *network_faults.FAULTS)
