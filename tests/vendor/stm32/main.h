// What the code in docs/porting.md uses of STM32CubeIDE's main.h.
#pragma once

#include <stdint.h>

struct UART_HandleTypeDef {
  int instance;
};
typedef int HAL_StatusTypeDef;
#define HAL_MAX_DELAY 0xFFFFFFFFU
extern "C" HAL_StatusTypeDef HAL_UART_Transmit(UART_HandleTypeDef*, const uint8_t*, uint16_t,
                                               uint32_t);

struct DWT_Type {
  volatile uint32_t CTRL, CYCCNT;
};
struct CoreDebug_Type {
  volatile uint32_t DHCSR, DCRSR, DCRDR, DEMCR;
};
extern DWT_Type* DWT;
extern CoreDebug_Type* CoreDebug;
#define DWT_CTRL_CYCCNTENA_Msk 1UL
#define CoreDebug_DEMCR_TRCENA_Msk (1UL << 24)
extern uint32_t SystemCoreClock;
