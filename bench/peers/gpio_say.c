// gpio_say LINE: prints a line for each rising edge of a named GPIO line (character device, uAPI v2), at once; piped into mosquitto_pub -l it is the least way from an edge to a broker.
#include "gpio_line.h"

int main(int argc, char **argv) {
  int line = argc == 2 ? request(argv[1]) : -1;
  if (line < 0) return 1;
  struct gpio_v2_line_event event;
  while (read(line, &event, sizeof event) == sizeof event) {
    puts("edge");
    fflush(stdout);
  }
  return 1;
}
