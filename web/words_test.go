package web_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

func float(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

func share(part, whole *big.Rat) float64 {
	if whole.Sign() == 0 {
		return 0
	}
	return float(part) / float(whole)
}

// percent, addresses, spaceWord and plural are how figures are written, as js/format.js and js/amounts.js do.
func percent(ratio float64) string {
	p := ratio * 100
	switch {
	case p <= 0:
		return "0 %"
	case p >= 100:
		return "100 %"
	case p < 0.1:
		return "< 0.1 %"
	case p < 10:
		return fmt.Sprintf("%.1f %%", math.Floor(p*10)/10)
	case p > 99:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", math.Floor(p*10)/10), ".0") + " %"
	}
	return fmt.Sprintf("%.0f %%", math.Floor(p+.5))
}

func addresses(n *big.Int) string {
	if n.Cmp(big.NewInt(100000)) < 0 {
		return grouped(n.Int64())
	}
	for _, u := range []struct {
		name string
		size int64
	}{{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}} {
		if n.Cmp(big.NewInt(1000*1e12)) >= 0 {
			exponent := n.BitLen() - 1
			if new(big.Int).Lsh(big.NewInt(1), uint(exponent)).Cmp(n) == 0 {
				return fmt.Sprintf("2^%d", exponent)
			}
			return fmt.Sprintf("≈ 2^%d", exponent)
		}
		if n.Cmp(big.NewInt(u.size)) < 0 {
			continue
		}
		tenths := new(big.Int).Quo(new(big.Int).Mul(n, big.NewInt(10)), big.NewInt(u.size)).Int64()
		if tenths >= 1000 {
			return fmt.Sprintf("%d %s", tenths/10, u.name)
		}
		return fmt.Sprintf("%d.%d %s", tenths/10, tenths%10, u.name)
	}
	return ""
}

func grouped(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func spaceWord(r *big.Rat) string {
	if r.Sign() > 0 && r.Cmp(big.NewRat(1, 1)) < 0 {
		return "< 1"
	}
	return addresses(new(big.Int).Quo(r.Num(), r.Denom()))
}

func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(n) + " " + noun
}
