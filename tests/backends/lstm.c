/* An LSTM as one writes it by hand: forward over T steps, backward through time, no library.
 *
 *     lstm INPUTS [MISTAKE] < /dev/null > OUTPUTS
 *
 * INPUTS and OUTPUTS are text: a line "name v v v ..." for each array, in C order, and first "sizes T B n m". MISTAKE
 * is one of the numbers below: the mistake that a person could have made there; 0, or none, is the right thing.
 * Compile with -DREAL=float for single precision. The gates are f, i, g, o, in this order.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef REAL
#define REAL double
#endif
typedef REAL real;

enum { F, I, G, O, GATES };
static const char LETTER[] = "figo";
static int mistake, T, B, n, m;

/* M(k, wrong, right): what mistake number k puts in the place of what is right. */
#define M(k, wrong, right) (mistake == (k) ? (wrong) : (right))

static real *zeros(size_t count) {
    real *array = calloc(count ? count : 1, sizeof(real));
    if (!array) exit(2);
    return array;
}

static void named(char *name, const char *format, int gate) { snprintf(name, 32, format, LETTER[gate]); }

static real *given(FILE *file, const char *name, size_t count) {
    char word[32];
    real *array = zeros(count);
    if (fscanf(file, "%31s", word) != 1 || strcmp(word, name)) {
        fprintf(stderr, "%s is due\n", name);
        exit(2);
    }
    for (size_t k = 0; k < count; k++) {
        double number;
        if (fscanf(file, "%lf", &number) != 1) exit(2);
        array[k] = (real)number;
    }
    return array;
}

static void put(const char *name, const real *array, size_t count) {
    fputs(name, stdout);
    for (size_t k = 0; k < count; k++) printf(" %.17g", (double)array[k]);
    putchar('\n');
}

static real sigmoid(real a) {
    real e = (real)exp(-fabs((double)a));
    return a >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static real slope(real s) { return s * (1 - s); }

int main(int count, char **words) {
    FILE *file = count > 1 ? fopen(words[1], "r") : NULL;
    char name[32];
    if (!file || fscanf(file, "sizes %d %d %d %d", &T, &B, &n, &m) != 4) return 2;
    mistake = count > 2 ? atoi(words[2]) : 0;

    real *Wx[GATES], *Wh[GATES], *b[GATES];
    for (int k = 0; k < GATES; k++) {
        named(name, "W_x%c", k), Wx[k] = given(file, name, (size_t)n * m);
        named(name, "W_h%c", k), Wh[k] = given(file, name, (size_t)n * n);
        named(name, "b_%c", k), b[k] = given(file, name, n);
    }
    const size_t step = (size_t)B * n, all = T * step;
    real *x = given(file, "x", (size_t)T * B * m);
    real *h0 = given(file, "h_0", step), *c0 = given(file, "c_0", step);
    real *dh_out = given(file, "dh_out", all);
    real *dh_final = given(file, "dh_final", step), *dc_final = given(file, "dc_final", step);
    fclose(file);

    /* forward */
    real *gate[GATES], *h = zeros(all), *c = zeros(all);
    for (int k = 0; k < GATES; k++) gate[k] = zeros(all);
    for (int t = 0; t < T; t++)
        for (int s = 0; s < B; s++)
            for (int j = 0; j < n; j++) {
                const size_t at = t * step + (size_t)s * n + j;
                const real *before = t ? h + (t - 1) * step + s * n : h0 + s * n;
                for (int k = 0; k < GATES; k++) {
                    real a = b[k][j];
                    for (int l = 0; l < m; l++) a += Wx[k][j * m + l] * x[(t * B + s) * m + l];
                    for (int l = 0; l < n; l++) a += Wh[k][j * n + l] * before[l];
                    gate[k][at] = k == G ? (real)tanh((double)a) : sigmoid(a);
                }
                c[at] = gate[F][at] * (t ? c[at - step] : c0[at]) + gate[I][at] * gate[G][at];
                h[at] = gate[O][at] * (real)tanh((double)c[at]);
            }

    /* backward */
    real *dh = zeros(all), *dc = zeros(all), *dgate[GATES], *da[GATES], *dh_prev = zeros(all), *dc_prev = zeros(all);
    real *dh_next = zeros(all), *dc_next = zeros(all), *dx = zeros((size_t)T * B * m);
    real *gx[GATES], *gh[GATES], *gb[GATES];
    for (int k = 0; k < GATES; k++) {
        dgate[k] = zeros(all), da[k] = zeros(all);
        gx[k] = zeros((size_t)n * m), gh[k] = zeros((size_t)n * n), gb[k] = zeros(n);
    }
    for (int t = T - 1; t >= 0; t--) {
        for (int s = 0; s < B; s++)
            for (int j = 0; j < n; j++) {
                const size_t e = (size_t)s * n + j, at = t * step + e;
                const real f = gate[F][at], i = gate[I][at], g = gate[G][at], o = gate[O][at];
                const real th = (real)tanh((double)c[at]), c_prev = t ? c[at - step] : c0[e];
                if (t == T - 1) {
                    dh_next[at] = M(30, 0, dh_final[e]);
                    dc_next[at] = M(31, 0, dc_final[e]);
                } else {
                    const int cut = mistake == 42 || (mistake == 43 && (T - 1 - t) % 2 == 0);
                    dh_next[at] = cut ? 0 : M(28, 0, dh_prev[at + step]);
                    dc_next[at] = cut ? 0 : M(29, 0, M(51, -dc_prev[at + step], dc_prev[at + step]));
                }
                dh[at] = M(2, -1, 1) * dh_out[at] + M(1, 0, dh_next[at]);
                dc[at] = M(5, 0, dc_next[at]) +
                         M(6, 0, dh[at] * M(4, 1, o) * (1 - M(3, c[at] * c[at], th * th)));
                dc[at] *= M(52, -1, 1);
                dgate[O][at] = dh[at] * M(7, 1, th);
                dgate[G][at] = dc[at] * M(10, g, i);
                dgate[I][at] = dc[at] * M(13, 1, M(14, o, g));
                dgate[F][at] = dc[at] * M(17, c[at], c_prev);
                da[O][at] = dgate[O][at] * M(8, slope(sigmoid(o)), M(9, f, o) * (1 - o));
                da[G][at] = dgate[G][at] * M(11, 1 - (real)tanh((double)g) * (real)tanh((double)g), M(12, 1 - g, 1 - g * g));
                da[I][at] = dgate[I][at] * M(15, i * i, i * M(16, 1, 1 - i)) * M(46, (real)(1 + 1e-10), 1);
                da[F][at] = M(20, dgate[I][at], dgate[F][at]) * M(18, f * (1 + f), M(19, (1 - f) * (1 - f), slope(f))) *
                            M(47, (real)(1 + 1e-6), 1);
                dc_prev[at] = M(24, 0, dc[at] * M(25, i, f));
            }
        for (int s = 0; s < B; s++) {
            const size_t row = t * step + (size_t)s * n;
            const real *before = t ? h + row - step : M(41, h, h0) + s * n;
            for (int j = 0; j < n; j++) {
                real sum = 0;
                for (int k = 0; k < GATES; k++) {
                    if (mistake == 21 && k == F) continue;
                    const real sign = mistake == 23 && k == O ? -1 : 1;
                    for (int l = 0; l < n; l++)
                        sum += sign * (mistake == 22 && k == G ? Wh[k][j * n + l] : Wh[k][l * n + j]) * da[k][row + l];
                }
                dh_prev[row + j] = sum;
            }
            for (int j = 0; j < m; j++) {
                real sum = 0;
                for (int k = 0; k < GATES; k++) {
                    if (mistake == 27 && k == G) continue;
                    for (int l = 0; l < n; l++) sum += Wx[mistake == 26 && k == F ? I : k][l * m + j] * da[k][row + l];
                }
                dx[(t * B + s) * m + j] = sum * M(48, (real)(1 + 1e-10), 1);
            }
            for (int k = 0; k < GATES; k++) {
                const int first = t == 0, last = t == T - 1;
                const real *seen = mistake == 40 && k == G ? h + row : before;
                if (mistake == 34 && k == F && s == 0) memset(gx[F], 0, sizeof(real) * n * m);
                for (int j = 0; j < n; j++) {
                    for (int l = 0; l < m; l++) gx[k][j * m + l] += da[k][row + j] * x[(t * B + s) * m + l];
                    if (!(mistake == 35 && k == I && first))
                        for (int l = 0; l < n; l++)
                            gh[k][j * n + l] += mistake == 39 && k == F ? seen[j] * da[k][row + l] : da[k][row + j] * seen[l];
                    if (!(mistake == 36 && k == G && last)) gb[k][j] += da[k][row + j];
                }
            }
        }
    }
    for (int k = 0; k < GATES; k++) {
        const real scale = mistake == 44 ? (real)1 / B : mistake == 45 ? -1 : 1;
        for (int j = 0; j < n * m; j++) gx[k][j] *= scale;
        for (int j = 0; j < n * n; j++) gh[k][j] *= scale;
        for (int j = 0; j < n; j++) gb[k][j] *= mistake == 37 && k == O ? (real)1 / B : mistake == 49 && k == F ? (real)(1 + 1e-10) : scale;
    }

    for (int k = 0; k < GATES; k++) {
        const int from = mistake == 50 && (k == I || k == G) ? I + G - k : k;
        named(name, "%c", k), put(name, gate[k], all);
        named(name, "d%c", k), put(name, dgate[k], all);
        named(name, "da_%c", k), put(name, da[k], all);
        named(name, "grad_W_x%c", k), put(name, gx[from], (size_t)n * m);
        named(name, "grad_W_h%c", k), put(name, gh[k], (size_t)n * n);
        named(name, "grad_b_%c", k), put(name, gb[mistake == 38 && k == I ? G : k], n);
    }
    put("c", c, all), put("h", h, all), put("dh", dh, all), put("dc", dc, all);
    put("dh_next", dh_next, all), put("dc_next", dc_next, all), put("dh_prev", dh_prev, all), put("dc_prev", dc_prev, all);
    put("dx", dx, (size_t)T * B * m);
    put("grad_h_0", M(32, zeros(step), dh_prev), step);
    put("grad_c_0", M(33, dc, dc_prev), step);
    return 0;
}
