-- What the rooms needed once their figures had been measured. Each section says whose it is. Locks wait five seconds at most.
SET LOCAL lock_timeout = '5s';
