package embedded

import "github.com/taoctl/taoctl/tao"

var (
	blockEmission = item[uint64]{subtensorName, "BlockEmission"}
	taoEmission   = item[uint64]{subtensorName, "SubnetTaoInEmission"}
	alphaEmission = item[uint64]{subtensorName, "SubnetAlphaOutEmission"}
	firstBlock    = item[uint64]{subtensorName, "FirstEmissionBlockNumber"}
	dividends     = item[uint64]{subtensorName, "AlphaDividendsPerSubnet"}
)

// everyBlock is what happens by itself. Each subnet gets an equal part of the
// block's TAO into its pool, with as much alpha as keeps its price, and one alpha
// for its stakers, by stake. The chain weighs subnets, validators and miners by
// consensus, which is not modelled.
func (x *exec) everyBlock() {
	x.referendaInBlock()
	var list []uint16
	for _, netuid := range x.netuids() {
		if thisBlock.get(x, netuid) > 0 {
			thisBlock.set(x, 0, netuid)
		}
		if netuid == root {
			continue
		}
		x.lowerBurn(netuid)
		x.raiseChildren(netuid)
		if firstBlock.has(x, netuid) && subtoken.get(x, netuid) {
			list = append(list, netuid)
		}
	}
	for _, netuid := range list {
		x.emitInto(netuid, blockEmission.get(x)/uint64(len(list)))
	}
}

func (x *exec) emitInto(netuid uint16, coins uint64) {
	p := x.pool(netuid)
	if p.tao == 0 || coins == 0 {
		return
	}
	alpha := mulDiv(coins, p.alpha, p.tao)
	subnetTAO.set(x, p.tao+coins, netuid)
	alphaIn.set(x, p.alpha+alpha, netuid)
	totalStake.set(x, totalStake.get(x)+coins)
	issuance.set(x, issuance.get(x)+coins)
	taoEmission.set(x, coins, netuid)
	alphaEmission.set(x, one, netuid)
	x.pay(netuid, one)
}

// pay gives alpha to the hotkeys of a subnet, by what is staked with them.
func (x *exec) pay(netuid uint16, amount uint64) {
	n := neurons.get(x, netuid)
	hotkeys, stakes := make([]tao.Account, n), make([]uint64, n)
	var total uint64
	for uid := range n {
		hotkeys[uid] = keys.get(x, netuid, uid)
		stakes[uid] = hotkeyAlpha.get(x, hotkeys[uid], netuid)
		total += stakes[uid]
	}
	if total == 0 {
		return
	}
	earned := emission.get(x, netuid)
	for uid := range n {
		part := mulDiv(amount, stakes[uid], total)
		earned = placed(earned, uid, part)
		if part > 0 {
			hotkeyAlpha.set(x, stakes[uid]+part, hotkeys[uid], netuid)
			alphaOut.set(x, alphaOut.get(x, netuid)+part, netuid)
			dividends.set(x, part, netuid, hotkeys[uid])
		}
	}
	emission.set(x, earned, netuid)
}
