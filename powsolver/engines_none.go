package powsolver

func cpuEngines() []*Engine { return nil }
