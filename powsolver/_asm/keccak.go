package main

// rho is how far each lane x + 5y is rotated (FIPS 202, 3.2.2).
var rho = [25]int{
	0, 1, 62, 28, 27,
	36, 44, 6, 55, 20,
	3, 10, 43, 25, 39,
	41, 45, 15, 21, 8,
	18, 2, 61, 56, 14,
}

// source is the lane that rho and pi bring to place x of plane y.
func source(x, y int) int { return (x+3*y)%5 + 5*x }
