# check.R: asks R what answers.c was asked, and compares: equal to 1e-9 of the larger one, or of 1.
#
#     answers 1 1000 | Rscript check.R
#
# R has its own code for quantiles, MAD, lm() with intervals, the signed-rank test with its interval, and the
# normal, Student and signed-rank distributions; of Theil and Sen's line it has the definition in three lines here, and
# so of the signed-rank interval where differences are alike. What has no answer is NaN or NA: both sides must say so.

describe <- function(x) {
  c(quantile(x, c(0, .05, .25, .5, .75, .9, .95, .99, 1), type = 7), mean(x), sd(x),
    mad(x, constant = 1))
}

interval <- function(x) if (all(is.finite(x))) quantile(x, c(.025, .975), type = 7) else c(NaN, NaN)

shift_ties <- function(first, second) {
  d <- first - second
  walsh <- outer(d, d, "+") / 2
  walsh <- sort(walsh[lower.tri(walsh, diag = TRUE)])
  w <- qsignrank(.025, length(d))
  if (w == 0) return(c(median(walsh), NaN, NaN)) # so few pairs can't reach the level
  c(median(walsh), walsh[w], walsh[length(walsh) - w + 1])
}

# The exact distribution for any number of pairs, also where stats_hodges_lehmann() has an approximation of it.
shift <- function(first, second) {
  if (qsignrank(.025, length(first)) == 0) return(shift_ties(first, second))
  t <- wilcox.test(first, second, paired = TRUE, conf.int = TRUE, exact = TRUE)
  c(t$estimate, t$conf.int)
}

least_squares <- function(x, y) {
  fit <- lm(y ~ x)
  ci <- confint(fit, level = .95)
  c(coef(fit)[2], ci[2, ], coef(fit)[1], ci[1, ], summary(fit)$r.squared)
}

theil_sen <- function(x, y) {
  slopes <- outer(y, y, "-") / outer(x, x, "-")
  a <- median(slopes[lower.tri(slopes) & outer(x, x, "!=")])
  b <- median(y - a * x)
  c(a, b, max(abs(y - a * x - b)))
}

quantiles <- function(asked) c(qnorm(asked[1]), qt(asked[1], asked[2]))

# What was drawn is given: a resample's picks in a column.
columns <- function(picks, n) matrix(picks, nrow = n)

# One value has no interval; what was divided by zero has no value, and so no interval has whose resamples were.
bootstrap <- function(n, picks, of) {
  all <- of(seq_len(n))
  if (!is.finite(all)) return(c(NaN, NaN, NaN))
  c(all, if (n > 1) interval(apply(columns(picks, n), 2, of)) else c(NaN, NaN))
}

bootstrap_median <- function(x, picks) bootstrap(length(x), picks, function(p) median(x[p]))

paired <- function(contrast) function(first, second, picks) {
  bootstrap(length(first), picks, function(p) contrast(median(first[p]), median(second[p])))
}

cells <- function(x, y, picks) {
  each <- length(y) / length(x)
  observed <- matrix(y, nrow = each) # a cell in a column
  line <- function(observations) theil_sen(x, apply(observations, 2, median))
  first <- rep(each * (seq_along(x) - 1), each = each) # how many stand in y before a pick's cell
  resampled <- apply(columns(picks, length(y)), 2, function(p) line(matrix(y[first + p], nrow = each)))
  all <- line(observed)
  if (each == 1) resampled[] <- NaN # nothing varies
  c(all[1], interval(resampled[1, ]), all[2], interval(resampled[2, ]), all[3])
}

# Each step ends at a value, and there R's function is asked; where there may be fewer steps than values, the values
# are every so many-th. The line climbs from 0 at the least.
distribution <- function(x, points) {
  n <- min(length(x), points)
  at <- sort(x)[floor(seq_len(n) * length(x) / n)]
  c(min(x), at, 0, ecdf(x)(at))
}

# R's hist() is told the same bins, closed on the left; the line climbs from 0 and comes back to it.
bins <- function(x, width) {
  edges <- seq(floor(min(x) / width), floor(max(x) / width) + 1) * width
  counts <- hist(x, breaks = edges, right = FALSE, include.lowest = FALSE, plot = FALSE)$counts
  c(edges[1], edges, 0, counts / length(x), 0)
}

asked <- list(describe = describe, interval = interval, shift = shift, "shift-ties" = shift_ties,
              "least-squares" = least_squares, "theil-sen" = theil_sen, quantiles = quantiles,
              "bootstrap-median" = bootstrap_median,
              "paired-difference" = paired(function(a, b) a - b),
              "paired-reduction" = paired(function(a, b) (a - b) / a),
              "paired-ratio" = paired(function(a, b) a / b),
              cells = cells, ecdf = distribution, bins = bins)

numbers <- function(text) as.numeric(strsplit(trimws(text), " ")[[1]])

compared <- 0
different <- 0
input <- file("stdin")
lines <- readLines(input)
close(input)
for (line in lines) {
  parts <- strsplit(line, "|", fixed = TRUE)[[1]]
  question <- trimws(parts[1])
  groups <- lapply(parts[-1], numbers)
  ours <- groups[[length(groups)]]
  theirs <- unname(suppressWarnings(do.call(asked[[question]], groups[-length(groups)])))
  off <- abs(ours - theirs) / pmax(1, abs(theirs))
  off[is.na(ours) & is.na(theirs)] <- 0
  compared <- compared + 1
  if (length(ours) != length(theirs) || !isTRUE(all(off <= 1e-9))) {
    different <- different + 1
    cat(question, "\n  ours  ", format(ours, digits = 15), "\n  R     ",
        format(theirs, digits = 15), "\n")
  }
}
cat(compared, "answers compared with R's,", different, "differ\n")
if (compared == 0 || different > 0) quit(status = 1)
