# check.R: asks R what answers.c was asked, and compares: equal to 1e-9 of the larger one, or of 1.
#
#     answers 1 1000 | Rscript check.R
#
# R has its own code for quantiles, MAD, lm() with intervals, the signed-rank test with its interval, and the
# normal and Student distributions; of Theil and Sen's line it has the definition in three lines here.

exact_pairs <- 60 # up to here stats_hodges_lehmann() takes the exact distribution (stats.h)

describe <- function(x) {
  c(quantile(x, c(0, .05, .25, .5, .75, .9, .95, .99, 1), type = 7), mean(x), sd(x),
    mad(x, constant = 1))
}

interval <- function(x) quantile(x, c(.025, .975), type = 7)

shift <- function(first, second) {
  n <- length(first)
  if (n <= exact_pairs) {
    t <- wilcox.test(first, second, paired = TRUE, conf.int = TRUE, exact = TRUE)
    return(c(t$estimate, t$conf.int))
  }
  d <- first - second
  walsh <- outer(d, d, "+") / 2
  walsh <- sort(walsh[lower.tri(walsh, diag = TRUE)])
  w <- floor(n * (n + 1) / 4 + qnorm(.025) * sqrt(n * (n + 1) * (2 * n + 1) / 24))
  c(median(walsh), walsh[w], walsh[length(walsh) - w + 1])
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

bootstrap_median <- function(x, picks) {
  c(median(x), interval(apply(columns(picks, length(x)), 2, function(p) median(x[p]))))
}

paired <- function(contrast) function(first, second, picks) {
  drawn <- apply(columns(picks, length(first)), 2, function(p) contrast(median(first[p]), median(second[p])))
  c(contrast(median(first), median(second)), interval(drawn))
}

cells <- function(x, y, picks) {
  each <- length(y) / length(x)
  observed <- matrix(y, nrow = each) # a cell in a column
  line <- function(observations) theil_sen(x, apply(observations, 2, median))
  resampled <- apply(columns(picks, length(y)), 2, function(p) {
    line(sapply(seq_along(x), function(i) observed[matrix(p, nrow = each)[, i], i]))
  })
  all <- line(observed)
  c(all[1], interval(resampled[1, ]), all[2], interval(resampled[2, ]), all[3])
}

# Each step ends at a value, and there R's function is asked; where there may be fewer steps than values, the values
# are every so many-th.
distribution <- function(x, points) {
  n <- min(length(x), points)
  at <- sort(x)[floor(seq_len(n) * length(x) / n)]
  c(at, ecdf(x)(at))
}

# R's hist() is told the same bins, closed on the left; the line climbs from 0 and comes back to it.
bins <- function(x, width) {
  edges <- seq(floor(min(x) / width), floor(max(x) / width) + 1) * width
  counts <- hist(x, breaks = edges, right = FALSE, include.lowest = FALSE, plot = FALSE)$counts
  c(edges[1], edges, 0, counts / length(x), 0)
}

asked <- list(describe = describe, interval = interval, shift = shift,
              "least-squares" = least_squares, "theil-sen" = theil_sen, quantiles = quantiles,
              "bootstrap-median" = bootstrap_median,
              "paired-difference" = paired(function(a, b) a - b),
              "paired-reduction" = paired(function(a, b) (a - b) / a),
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
  compared <- compared + 1
  if (length(ours) != length(theirs) || !all(off <= 1e-9)) {
    different <- different + 1
    cat(question, "\n  ours  ", format(ours, digits = 15), "\n  R     ",
        format(theirs, digits = 15), "\n")
  }
}
cat(compared, "answers compared with R's,", different, "differ\n")
if (compared == 0 || different > 0) quit(status = 1)
